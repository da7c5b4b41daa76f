// The failures: by reason, and each.

// facts is a list of names and what is known; what isn't known is left out.
const facts = pairs => h('dl', {}, pairs.filter(([, v]) => v).flatMap(([name, v]) => [h('dt', {}, name), h('dd', {}, v)]));

const most = 16384; // characters of stderr that are shown at first, from its end

function stderr(text, name) {
  const label = {tabindex: 0, role: 'region', 'aria-label': `stderr of ${name}`};
  if (!text) return h('p', {class: 'hint'}, 'Nothing was kept of its stderr.');
  const pre = h('pre', label, shown(text.slice(-most)));
  if (text.length <= most) return pre;
  const all = h('button', {type: 'button', click: () => { pre.textContent = shown(text); all.remove(); }},
    `Show also the ${many(text.length - most, 'character')} before`);
  return h('div', {}, all, pre);
}

function failureFacts(f) {
  return facts([['Task', f.task && brief(f.task, 2000)], ['Object', f.item && brief(f.item, 2000)], ['Ended', shown(f.text)], ['Exit code', String(f.exit_code)], ['Signal', f.signal && shown(f.signal)],
    ['Out of memory', f.oom_killed && 'yes'], ['Timed out', f.timed_out && 'yes'], ['Put aside', f.dead && 'yes, after all its attempts'],
    ['Failures so far', f.failures > 0 && 'at least ' + count(f.failures)], ['Failed', date(seconds(f.at))],
    ['Started again', f.started_again && 'yes, since'], ['Took', known(f.duration_s, duration)],
    ['Peak memory', known(f.max_rss_bytes, bytes)], ['Pod', f.pod && shown(f.pod)], ['Node', f.node && shown(f.node)],
    ['Run', f.run_id && shown(f.run_id)], ['Message', f.message && brief(f.message, 2000)], ['Whole log', f.log && shown(f.log)]]);
}

// showItem tells all that is known of one index, below the grid.
function showItem(k) {
  const index = indexAt(k), f = failureOf.get(index), u = usedOf.get(index), s = stateAt[k];
  const box = $('item');
  const close = h('button', {type: 'button', click: () => { box.hidden = true; canvas.focus(); }}, 'Close');
  box.replaceChildren(h('div', {class: 'line'}, h('h3', {}, swatch(s), ` Index ${index}: ${states[s].name}`), close),
    facts([['Settled', known(settledAt[k], date)],
      ['Took', u && duration(u.duration_s)], ['CPU', u && duration(u.cpu_s)], ['Peak memory', known(u?.max_rss_bytes, bytes)],
      ['Node', !f && u?.node && shown(u.node)], ['Failed', !f && failedAt.has(index) && date(failedAt.get(index))]]));
  if (f) box.append(failureFacts(f), stderr(f.stderr, `index ${index}`));
  else if (failedAt.has(index)) box.append(h('p', {class: 'hint'}, `Its failure record was not read: nth status --index ${index} shows it.`));
  box.hidden = false;
}

// rows of one failure: what fits on a line, and behind a button all the rest.
const failureRow = f => rowOf(failureColumns, f, 'f' + f.index, f.index + (f.item ? '  ' + brief(f.item, 80) : ''), `index ${f.index}`, f.failures);
const taskRow = (f, k) => rowOf(taskColumns, f, 't' + k, brief(f.task, 80), `task ${brief(f.task, 80)}`, f.attempt);
function rowOf(columns, f, id, label, name, times) {
  const more = h('tr', {id, hidden: true}, h('td', {colspan: 9}));
  const button = h('button', {type: 'button', 'aria-expanded': 'false', 'aria-controls': id, click: () => {
    more.hidden = !more.hidden;
    button.setAttribute('aria-expanded', !more.hidden);
    if (!more.hidden) more.firstChild.replaceChildren(failureFacts(f), stderr(f.stderr, name));
  }}, label);
  const how = [f.signal ? brief(f.signal) : 'exit code ' + f.exit_code, f.oom_killed && 'out of memory', f.timed_out && 'timed out', f.dead && 'put aside'].filter(Boolean).join(', ');
  return [line(columns, [button, how, count(times), short(seconds(f.at)), known(f.duration_s, duration), known(f.max_rss_bytes, bytes),
    brief(f.pod ?? '', 80), brief(f.node ?? '', 80), brief(f.last || f.message || '')]), more];
}
const failureColumns = [['Index', 'n'], ['Ended'], ['Failures', 'n wide'], ['When (UTC)', 'wide'], ['Took', 'n wide'], ['Peak memory', 'n wide'],
  ['Pod', 'wide'], ['Node', 'wide'], ['Last line of stderr', 'rest']];
const taskColumns = [['Task'], failureColumns[1], ['Delivery', 'n wide'], ...failureColumns.slice(3)];

// showGroups shows the groups that the filter leaves; what was opened stays open.
const opened = new Set(groups.length === 1 ? [groups[0].reason] : []);
function showGroups() {
  const some = filtered(), largest = Math.max(1, ...groups.map(g => g.count));
  let left = 0;
  const boxes = groups.map(g => {
    const items = failures.filter(f => f.reason === g.reason && (!some || selects(f.index)));
    if (some && !items.length) return null;
    left += items.length;
    const bar = h('i', {class: 'share', 'aria-hidden': 'true'});
    bar.style.width = 100 * (some ? items.length : g.count) / largest + '%';
    const body = h('div', {class: 'group'});
    const fill = () => {
      const positions = new Set(items.map(f => positionOf(f.index)));
      const list = some ? listOf(k => positions.has(k)) : g.indexes;
      const only = h('button', {type: 'button', click: () => {
        filter.reason = $('reason').value = g.reason;
        changed();
        $('reason').focus();
      }}, 'Only this reason');
      body.replaceChildren(copyLine('Indexes', cut(list), () => list, only),
        table(`${many(items.length, 'item')}: ${brief(g.text, 120)}`, failureColumns, items, failureRow));
      if (!some && g.count > items.length) body.append(h('p', {class: 'hint'}, `Of ${count(g.count)}, the records of ${count(items.length)} were read.`));
    };
    const box = h('details', {open: opened.has(g.reason), toggle: () => {
      if (!box.open) opened.delete(g.reason);
      else { opened.add(g.reason); if (!body.firstChild) fill(); }
    }}, h('summary', {}, h('b', {}, count(some ? items.length : g.count)), h('span', {class: 'what'}, brief(g.text)), h('code', {}, brief(g.reason)),
      h('span', {class: 'track'}, bar)), body);
    if (box.open) fill();
    return box;
  }).filter(Boolean);
  $('groups').replaceChildren(...boxes);
  const unread = report.failures_unread > 0 ? ` The records of ${many(report.failures_unread, 'more failure')} were not read.` : '';
  $('which').textContent = (!groups.length ? 'Nothing failed.'
    : some ? `${count(left)} of ${many(failures.length, 'failure')} that were read, as filtered above.`
      : `${many(totals[FAILED], 'index', 'indexes')} failed, for ${many(groups.length, 'reason')}.`) + unread;
}
