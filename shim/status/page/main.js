// The page from top to bottom.

const section = (title, ...children) => {
  const id = 'h-' + title.toLowerCase().replace(/\W+/g, '-');
  return h('section', {'aria-labelledby': id}, h('h2', {id}, title), ...children);
};

// Of a queue the tasks are of interest: the indexes are its workers, that are never done.
const ofQueue = report.tasks && totals[FAILED] === total;

function buildHeader() {
  const name = report.job ? brief(report.job) : 'Job';
  document.title = `${name}: nth status`;
  $('job').textContent = name;
  $('about').append(h('code', {}, shown(report.markers)), h('span', {}, 'looked at ' + date(seconds(report.at))));
  const settled = totals[DONE] + totals[SKIPPED];
  if (ofQueue) {
    const {done, skipped, failed, dead} = report.tasks;
    $('sentence').textContent = [many(done, 'task') + ' done', skipped && `${count(skipped)} skipped`, failed && `${count(failed)} failed`,
      dead && `${count(dead)} of them put aside`].filter(Boolean).join(' · ');
    return;
  }
  const parts = [`${share(settled, total)} settled: ${count(settled)} of ${count(total)}`];
  if (totals[FAILED]) parts.push(`${count(totals[FAILED])} failed`);
  if (report.rate_per_s > 0) parts.push(report.rate_per_s < 0.1 ? (report.rate_per_s * 60).toFixed(1) + ' a minute' : report.rate_per_s.toFixed(1) + ' a second');
  if (report.left_s > 0) parts.push(`about ${duration(report.left_s)} left`);
  if (report.counts.others > 0) parts.push(`${many(report.counts.others, 'marker')} of indexes that there should not be: ${brief(report.lists.others ?? '', 200)}`);
  $('sentence').textContent = total ? parts.join(' · ') : 'There are no indexes.';
  $('bar').setAttribute('aria-label', states.map((s, i) => `${s.name} ${share(totals[i], total)}`).join(', '));
  states.forEach((s, i) => {
    if (!totals[i]) return;
    const part = h('span', {class: 's' + i});
    part.style.flexGrow = totals[i];
    $('bar').append(part);
  });
}

function tasksSection(tasks) {
  return section('Tasks of the queue',
    h('p', {}, 'By the records that workers left; failed ones were not done since.'),
    facts([['Done', count(tasks.done)], ['Skipped', count(tasks.skipped)], ['Failed', count(tasks.failed)], ['Of them put aside', count(tasks.dead)]]),
    failedTasks.length ? table(many(failedTasks.length, 'failed task'), taskColumns, failedTasks.map((f, k) => [f, k]), ([f, k]) => taskRow(f, k)) : null,
    report.task_failures_unread > 0 ? h('p', {class: 'hint'}, `The records of ${many(report.task_failures_unread, 'more failed task')} were not read.`) : null);
}

function buildMore() {
  const more = $('more');
  if (settledAt.some(s => s > 0) || failedAt.size) more.append(section('Time', timeline()));
  if (used.length) {
    const memory = used.map(u => u.max_rss_bytes).filter(n => n > 0);
    more.append(section('What items took', h('div', {class: 'pair'}, histogram('Duration', used.map(u => u.duration_s), 'duration', duration),
      memory.length ? histogram('Peak memory', memory, 'bytes', bytes) : null), slowest()));
  }
  const {tasks, shards, kubernetes} = report;
  if (ofQueue) {
    $('bar').hidden = true;
    $('h-grid').textContent = 'Workers that failed';
    $('main').prepend(tasksSection(tasks));
  } else if (tasks) more.append(tasksSection(tasks));
  if (shards?.length) {
    const columns = [['Index', 'n'], ['Settled'], ['Items', 'n'], ['Done', 'n'], ['Skipped', 'n'], ['Failed', 'n'], ['Updated (UTC)', 'wide']];
    more.append(section('Shards', table('Items of each shard', columns, shards, s => {
      const bar = h('i', {class: 'share'}), settled = s.done + s.skipped;
      bar.style.width = 100 * settled / Math.max(1, s.items) + '%';
      return line(columns, [s.index, [h('span', {class: 'track', 'aria-hidden': 'true'}, bar), ' ' + share(settled, s.items)],
        ...[s.items, s.done, s.skipped, s.failed].map(count), short(seconds(s.updated))]);
    })));
  }
  if (kubernetes) {
    const wrong = kubernetes.disagreements ?? [];
    more.append(section('Kubernetes', facts([['Job', brief([kubernetes.namespace, kubernetes.name].filter(Boolean).join('/'))],
      ['Completed', brief(kubernetes.completed || 'none', 2000)], ['Failed', brief(kubernetes.failed || 'none', 2000)],
      ['Ended', kubernetes.condition ? brief(kubernetes.condition) : 'not yet']]),
    h('h3', {}, wrong.length ? `${many(wrong.length, 'disagreement')} with the markers` : 'It agrees with the markers'),
    wrong.length ? h('ul', {}, wrong.map(d => h('li', {}, brief(d, 1000)))) : null));
  }
  $('foot').append(h('p', {}, `nth ${brief(report.nth)} · ${many(data.requests, 'page')} of listings · dates in UTC, those of markers by the store's clock`));
}

// The theme is the system's, until the button chooses.
const root = document.documentElement, system = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (root.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';
function setTheme(theme) {
  if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
  $('theme').textContent = isDark() ? 'Light theme' : 'Dark theme';
  drawGrid();
}

buildFilter();
buildHeader();
if (total) buildGrid();
else for (const id of ['filter', 's-grid', 'bar']) $(id).hidden = true;
if (!total && !groups.length) $('s-failures').hidden = true;
buildMore();
$('clear').disabled = true;
showGroups();
setTheme();
drawCharts();
$('theme').addEventListener('click', () => setTheme(isDark() ? 'light' : 'dark'));
system.addEventListener('change', () => setTheme(root.dataset.theme));
let width = innerWidth;
addEventListener('resize', () => { if (width !== innerWidth) { width = innerWidth; drawGrid(); drawCharts(); } });
// Paper is white.
let before;
addEventListener('beforeprint', () => { before = root.dataset.theme; setTheme('light'); });
addEventListener('afterprint', () => setTheme(before));
root.dataset.ready = '';
performance.mark('end');
