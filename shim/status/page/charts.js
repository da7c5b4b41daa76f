// Charts: drawn to the width that there is, each with its figures as a table.

const day = 86400;
const steps = {
  duration: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600,
    7200, 14400, 28800, day, 2 * day, 7 * day, 30 * day],
  bytes: Array.from({length: 40}, (_, i) => 1024 * 2 ** i),
};

// ceiling is the least of 1, 2, 5 times a power of ten that n isn't above.
function ceiling(n) {
  for (let power = 1; ; power *= 10) for (const f of [1, 2, 5]) if (f * power >= n) return f * power;
}

// figure frames a chart. draw(width) gives its SVG, and is called again as widths change.
const drawn = [];
function figure(title, said, draw, columns, rows) {
  const frame = h('div', {class: 'chart'});
  const more = h('details', {toggle: () => {
    if (more.open && more.children.length === 1) more.append(table(title, columns, rows,
      ([name, ...cells]) => line(columns, [name, ...cells.map(count)])));
  }}, h('summary', {}, 'As a table'));
  drawn.push(() => frame.replaceChildren(draw(frame.clientWidth)));
  return h('figure', {}, h('figcaption', {}, h('h3', {}, title), h('p', {}, said)), frame, more);
}
const drawCharts = () => drawn.forEach(f => f());

// axes draws lines for counts, up to a round number, and ticks for [place, name] pairs:
// those that would run into the one before have no name.
function axes(width, top, bottom, left, high, ticks) {
  const y = n => bottom - (bottom - top) * n / high;
  const parts = [0, high / 2, high].filter(n => Number.isInteger(n)).flatMap(n => [
    h('line', {class: 'rule', x1: left, x2: width, y1: y(n) + 0.5, y2: y(n) + 0.5}),
    h('text', {x: left - 6, y: y(n) + 4, 'text-anchor': 'end'}, count(n))]);
  let free = left - 20;
  for (const [x, name] of ticks) {
    parts.push(h('line', {class: 'tick', x1: x, x2: x, y1: bottom, y2: bottom + 4}));
    const half = name.length * 3.2;
    if (x - half < free || x + half > width + 4) continue;
    free = x + half + 8;
    parts.push(h('text', {x, y: bottom + 16, 'text-anchor': 'middle'}, name));
  }
  return {parts, y};
}
// bar stands on a line, and can be seen however low it is.
const bar = (kind, x, width, bottom, high, said) => h('rect', {class: kind, x: x + 0.5, width: Math.max(1, width - 1),
  y: bottom - Math.max(2, high), height: Math.max(2, high)}, h('title', {}, said));
const picture = (width, height, label, parts) =>
  h('svg', {width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label}, parts);

// histogram counts values in bins of equal width, or of equal ratio where the largest is
// more than twenty times the smallest; its axis says which.
function histogram(title, values, kind, write) {
  const sorted = Float64Array.from(values, v => Math.max(v, steps[kind][0])).sort();
  const at = q => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  const least = sorted[0], largest = sorted[sorted.length - 1], log = largest > 20 * least;
  const f = log ? Math.log : v => v, inverse = log ? Math.exp : v => v;
  const from = log ? f(least) : 0, to = f(largest * 1.0001);
  const bins = new Array(Math.min(40, Math.max(8, Math.ceil(2 * Math.cbrt(sorted.length))))).fill(0);
  const edge = i => write(inverse(from + (to - from) * i / bins.length)), name = i => `${edge(i)} to ${edge(i + 1)}`;
  for (const v of sorted) bins[Math.min(bins.length - 1, Math.floor((f(v) - from) / (to - from) * bins.length))]++;
  const stride = steps[kind].find(s => largest / s <= 8) ?? largest;
  const marks = log ? steps[kind].filter(v => v >= least && v <= largest) : Array.from({length: Math.floor(largest / stride) + 1}, (_, i) => i * stride);
  const {read, of} = report.used;
  const most = [0.9, 0.99].filter(q => sorted.length * (1 - q) >= 1).map(q => `${100 * q} % within ${write(at(q))}, `).join('');
  const source = read < of ? `Of ${count(read)} markers read of ${count(of)}` : `Of all ${count(of)} markers`;
  const said = `Median ${write(at(0.5))}, ${most}largest ${write(largest)}. ${source}; ${log ? 'logarithmic' : 'linear'} axis.`;
  const draw = width => {
    const high = ceiling(Math.max(...bins)), left = 12 + 7 * count(high).length, bottom = 140;
    const x = v => left + (width - left - 1) * (f(v) - from) / (to - from);
    const {parts, y} = axes(width, 10, bottom, left, high, marks.map(v => [x(v), v ? write(v) : '0']));
    const wide = (width - left - 1) / bins.length;
    bins.forEach((n, i) => n && parts.push(bar('bar', left + i * wide, wide, bottom, bottom - y(n), `${name(i)}: ${count(n)}`)));
    return picture(width, bottom + 22, `${title}. ${said}`, parts);
  };
  return figure(title, said, draw, [['From'], ['Items', 'n']], bins.map((n, i) => [name(i), n]).filter(r => r[1]));
}

// timeline shows how many were settled as time went, and below it when items failed.
function timeline() {
  const now = seconds(report.at), ends = settledAt.filter(s => s > 0), bad = Float64Array.from(failedAt.values()).filter(s => s > 0);
  let from = now, to = now;
  for (const all of [ends, bad]) for (const s of all) { from = Math.min(from, s); to = Math.max(to, s); }
  to = Math.max(to, from + 1);
  const step = steps.duration.find(s => s >= 1 && (to - from) / s <= 80) ?? (to - from) / 80;
  const start = Math.floor(from / step) * step, bins = Math.max(1, Math.ceil((to - start + 1) / step));
  const ok = new Array(bins).fill(0), failed = new Array(bins).fill(0);
  for (const s of ends) ok[Math.floor((s - start) / step)]++;
  for (const s of bad) failed[Math.min(bins - 1, Math.floor((s - start) / step))]++;
  const clock = s => { const d = date(s); return to - from > 2 * day ? d.slice(5, 10) : d.slice(11, to - from < 300 ? 19 : 16); };
  const said = `${count(ends.length)} of ${count(total)} settled between ${date(from)} and ${date(to)}. ` + (bad.length
    ? `${many(bad.length, 'failure')} recorded, the last of each index, below in bins of ${duration(step)}.` : 'No failure is recorded.');
  const draw = width => {
    const left = 12 + 7 * count(ceiling(total)).length, bottom = 140, high = ceiling(total), most = Math.max(1, ...failed);
    const x = s => left + (width - left - 1) * (s - start) / (to - start);
    const apart = steps.duration.find(s => s >= 1 && (to - start) / s * 90 <= width) ?? step, ticks = [];
    for (let s = Math.ceil(start / apart) * apart; s <= to; s += apart) ticks.push([x(s), clock(s)]);
    const {parts, y} = axes(width, 10, bottom, left, high, ticks);
    let sum = 0, path = `M${x(start)} ${bottom}`;
    ok.forEach((n, i) => { sum += n; path += `L${x(Math.min(to, start + (i + 1) * step)).toFixed(1)} ${y(sum).toFixed(1)}`; });
    parts.push(h('path', {class: 'area', d: path + `L${x(to)} ${bottom}Z`}));
    if (!bad.length) return picture(width, bottom + 22, said, parts);
    const under = 206, wide = x(start + step) - left;
    parts.push(h('line', {class: 'rule', x1: left, x2: width, y1: under + 0.5, y2: under + 0.5}),
      h('text', {x: left - 6, y: under - 30, 'text-anchor': 'end'}, count(most)), h('text', {x: left - 6, y: under + 4, 'text-anchor': 'end'}, '0'));
    failed.forEach((n, i) => {
      const s = start + i * step;
      if (n) parts.push(bar('bad', x(s), Math.min(wide, width - x(s)), under, 36 * n / most, `${date(s)}: ${many(n, 'failure')}`));
    });
    return picture(width, under + 6, said, parts);
  };
  const rows = ok.map((n, i) => [date(start + (i + 1) * step), n, failed[i]]).filter(r => r[1] || r[2]);
  return figure('Settled over time', said, draw, [['Until'], ['Settled', 'n'], ['Failed', 'n']], rows);
}

// slowest lists the items that took longest.
function slowest() {
  const items = used.toSorted((a, b) => b.duration_s - a.duration_s).slice(0, 100);
  const columns = [['Index', 'n'], ['Took', 'n'], ['CPU', 'n'], ['Peak memory', 'n'], ['Finished (UTC)', 'wide'], ['Node', 'rest']];
  return table('Slowest items', columns, items, u => line(columns, [u.index, duration(u.duration_s), duration(u.cpu_s), known(u.max_rss_bytes, bytes),
    short(seconds(u.finished)), brief(u.node ?? '', 80)]), 10);
}
