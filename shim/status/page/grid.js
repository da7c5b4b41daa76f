// The grid: a cell an index, or a range of them where there are more than fit.

const view = {from: 0, n: total}; // the positions in sight
const layout = {per: 1, columns: 1, rows: 1, size: 1, left: 0};
let cursor = 0; // a position; always the first of its cell
const canvas = $('grid');

// measure chooses the fewest indexes a cell with which the grid isn't too high, then the
// largest cells, then the lowest grid. Columns are round numbers, so that rows begin with one.
function measure() {
  const width = Math.max($('frame').clientWidth, 240);
  const left = 12 + 7 * String(total ? indexAt(total - 1) : 0).length;
  for (let power = 1; ; power *= 10) {
    for (const per of [power, 2 * power, 5 * power]) {
      let best = null;
      for (const columns of [5, 10, 20, 25, 40, 50, 80, 100, 120, 150, 200, 250]) {
        const size = Math.min(28, Math.floor((width - left) / columns));
        const cells = Math.ceil(view.n / per), rows = Math.ceil(cells / columns);
        if (size < 6 || rows * size > 400 || size < best?.size) continue;
        if (size > (best?.size ?? 0) || columns * columns <= 10 * cells) best = {per, columns, rows, size, left};
      }
      if (best) return Object.assign(layout, best);
    }
  }
}

// look gives how a state is drawn just now, from the swatches beside its name.
function look(i) {
  const style = getComputedStyle($('states').children[i].querySelector('.swatch'));
  return {fill: style.backgroundColor, ink: style.color, edge: style.borderTopColor};
}

// marks draw one index: not only colours differ, for they look alike to many.
const marks = [
  (c, x, y, s) => c.fillRect(x, y, s, s),
  (c, x, y, s) => c.fillRect(x, y + Math.ceil(s / 2), s, Math.floor(s / 2)),
  (c, x, y, s) => c.fillRect(x - 1, y - 1, s + 2, s + 2),
  (c, x, y, s) => c.fillRect(x, y, Math.ceil(s / 2), s),
  (c, x, y, s) => c.strokeRect(x + 0.5, y + 0.5, s - 1, s - 1),
  (c, x, y, s) => c.fillRect(x + Math.floor(s / 2) - 1, y + Math.floor(s / 2) - 1, 2, 2),
];

function drawGrid() {
  if (!total) return;
  measure();
  const {per, columns, rows, size, left} = layout;
  const scale = window.devicePixelRatio || 1, c = canvas.getContext('2d');
  const width = left + columns * size, height = rows * size + 2;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.width = width + 'px';
  canvas.style.height = height + 'px';
  c.scale(scale, scale);
  const looks = states.map((_, i) => look(i));
  if (per === 1) drawEach(c, looks); else drawRanges(c, looks);
  c.globalAlpha = 1;
  c.fillStyle = getComputedStyle($('keys')).color;
  c.font = '11px ' + getComputedStyle(document.body).fontFamily;
  c.textAlign = 'right';
  c.textBaseline = 'middle';
  const every = Math.ceil(14 / size);
  for (let r = 0; r < rows; r += every) c.fillText(indexAt(view.from + r * columns * per), left - 8, Math.max(6, r * size + size / 2 + 1));
  placeCursor();
  showRange();
  if ($('as-table').open) fillTable();
}

// at gives the corner of a cell.
const at = cell => [layout.left + cell % layout.columns * layout.size + 1, Math.floor(cell / layout.columns) * layout.size + 1];

function drawEach(c, looks) {
  const size = layout.size - (layout.size > 12 ? 2 : 1);
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  c.font = `bold ${Math.round(size * 0.7)}px system-ui, sans-serif`;
  looks.forEach(({fill, ink, edge}, i) => {
    for (let k = 0; k < view.n; k++) {
      if (stateAt[view.from + k] !== i) continue;
      const [x, y] = at(k);
      c.globalAlpha = match[view.from + k] ? 1 : 0.18;
      c.fillStyle = i === MISSING ? edge : fill;
      c.strokeStyle = edge;
      if (size < 12) { marks[i](c, x, y, size); continue; }
      if (i !== MISSING) c.fillRect(x, y, size, size);
      c.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
      c.fillStyle = ink;
      if (i !== DONE) c.fillText(states[i].glyph, x + size / 2, y + size / 2 + 1);
    }
  });
}

// drawRanges fills each cell from below. Failures lie on top; few of them are drawn larger
// than they are, so that they can be seen.
function drawRanges(c, looks) {
  const {per} = layout, size = layout.size - 1;
  const cells = Math.ceil(view.n / per), some = filtered();
  const all = new Uint32Array(cells * 8), picked = new Uint32Array(cells * 8);
  for (let k = 0; k < view.n; k++) {
    const at = Math.floor(k / per) * 8 + stateAt[view.from + k];
    all[at]++;
    picked[at] += match[view.from + k];
  }
  const order = [...states.keys()].filter(i => i !== FAILED && i !== MISSING).concat(FAILED);
  const bars = (counts, alpha) => {
    c.globalAlpha = alpha;
    const filled = new Uint8Array(cells);
    for (const i of order) {
      c.fillStyle = looks[i].fill;
      for (let cell = 0; cell < cells; cell++) {
        const part = counts[cell * 8 + i] / Math.min(per, view.n - cell * per);
        if (!part) continue;
        const [x, y] = at(cell);
        const high = Math.max(1, Math.round(size * (i === FAILED ? Math.sqrt(part) : part)));
        const base = Math.min(filled[cell], size - high);
        c.fillRect(x, y + size - base - high, size, high);
        filled[cell] = base + high;
      }
    }
  };
  c.globalAlpha = 0.35;
  c.fillStyle = looks[MISSING].edge;
  for (let cell = 0; cell < cells; cell++) c.fillRect(...at(cell), size, size);
  if (some) bars(all, 0.18);
  bars(picked, 1);
}

// tally counts the states of a range of positions, in words.
function tally(from, n) {
  const counts = states.map(() => 0);
  let picked = 0;
  for (let k = from; k < from + n; k++) { counts[stateAt[k]]++; picked += match[k]; }
  return {counts, picked};
}
const rangeName = (from, n) => n === 1 ? `Index ${indexAt(from)}` : `Indexes ${indexAt(from)}–${indexAt(from + n - 1)}`;
function describe(k) {
  const n = Math.min(layout.per, view.from + view.n - k);
  if (n > 1) {
    const {counts, picked} = tally(k, n);
    return `${rangeName(k, n)}: ${states.map((s, i) => counts[i] ? count(counts[i]) + ' ' + s.name : '').filter(Boolean).join(', ')}`
      + (filtered() ? `; ${count(picked)} selected` : '');
  }
  const index = indexAt(k), f = failureOf.get(index);
  const when = settledAt[k] || failedAt.get(index);
  return `${rangeName(k, 1)}: ${states[stateAt[k]].name}${when ? ', ' + date(when) : ''}`
    + (f && stateAt[k] === FAILED ? `, ${brief(f.text, 120)}` : '') + (filtered() && match[k] ? '; selected' : '');
}

// placeCursor shows where the keyboard is; say: whether a screen reader should tell it.
function placeCursor(say = false) {
  const {per, size} = layout;
  cursor = Math.min(Math.max(cursor, view.from), view.from + view.n - 1);
  cursor -= (cursor - view.from) % per;
  const [x, y] = at((cursor - view.from) / per);
  Object.assign($('cursor').style, {left: x - 3 + 'px', top: y - 3 + 'px', width: size + 1 + 'px', height: size + 1 + 'px'});
  tell(cursor, say);
}
function tell(k, say) {
  $('readout').setAttribute('aria-live', say ? 'polite' : 'off');
  $('readout').textContent = describe(k);
}

function show(from, n, to = cursor) {
  Object.assign(view, {from: Math.max(0, from), n: Math.min(n, total - Math.max(0, from))});
  cursor = to;
  drawGrid();
}

// wider is the ranges that the one in sight lies in, the whole first.
const trail = [];
function open(k) {
  if (layout.per === 1) { showItem(k); return; }
  const n = layout.per * 100;
  trail.push({from: view.from, n: view.n});
  show(Math.floor(k / n) * n, n, k);
}
function back() {
  if (!$('item').hidden) { $('item').hidden = true; return; }
  const wider = trail.pop();
  if (wider) show(wider.from, wider.n);
}
function showRange() {
  const crumbs = [...trail, view].map(({from, n}, depth) => {
    const name = depth ? `${indexAt(from)}–${indexAt(from + n - 1)}` : `All ${count(total)}`;
    return depth === trail.length ? h('span', {'aria-current': 'true'}, name)
      : h('button', {type: 'button', click: () => { trail.length = depth; show(from, n); canvas.focus(); }}, name);
  });
  $('range').replaceChildren(...crumbs, h('small', {}, layout.per === 1 ? 'a cell is one index' : `a cell is ${count(layout.per)} indexes`));
}

// next finds the nearest position that the filter selects; without one, a failure.
function next(by) {
  const wanted = k => filtered() ? match[k] : stateAt[k] === FAILED;
  const first = by > 0 ? cursor + layout.per : cursor - 1;
  for (let k = first; k >= view.from && k < view.from + view.n; k += by) if (wanted(k)) return k;
  return cursor;
}

function buildGrid() {
  const moves = () => {
    const {per, columns} = layout, row = columns * per;
    return {ArrowLeft: cursor - per, ArrowRight: cursor + per, ArrowUp: cursor - row, ArrowDown: cursor + row,
      Home: view.from, End: view.from + view.n - 1, PageUp: cursor - 10 * row, PageDown: cursor + 10 * row};
  };
  canvas.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const to = e.key === 'n' ? next(1) : e.key === 'p' ? next(-1) : moves()[e.key];
    if (to >= 0 && to < total || e.key === 'PageDown' || e.key === 'PageUp') { cursor = to; placeCursor(true); }
    else if (e.key === 'Enter' || e.key === ' ') { open(cursor); tell(cursor, true); }
    else if (e.key === 'Escape') { back(); tell(cursor, true); }
    else if (to === undefined) return;
    e.preventDefault();
  });
  const under = e => {
    const box = canvas.getBoundingClientRect(), {per, columns, size, left} = layout;
    const column = Math.floor((e.clientX - box.left - left) / size), row = Math.floor((e.clientY - box.top) / size);
    const k = view.from + (row * columns + column) * per;
    return column >= 0 && column < columns && k >= view.from && k < view.from + view.n ? k : -1;
  };
  canvas.addEventListener('pointermove', e => { const k = under(e); if (k >= 0) tell(k, false); });
  canvas.addEventListener('pointerleave', () => tell(cursor, false));
  canvas.addEventListener('click', e => { const k = under(e); if (k >= 0) { cursor = k; placeCursor(); open(k); } });
  canvas.addEventListener('focus', () => { $('cursor').hidden = false; tell(cursor, true); });
  canvas.addEventListener('blur', () => $('cursor').hidden = true);
  $('as-table').addEventListener('toggle', () => { if ($('as-table').open) fillTable(); });
}

// fillTable tells what the grid shows, in twenty ranges at most.
function fillTable() {
  const step = layout.per * Math.ceil(view.n / layout.per / 20);
  const rows = [];
  for (let from = view.from; from < view.from + view.n; from += step) rows.push([from, Math.min(step, view.from + view.n - from)]);
  const columns = [['Indexes'], ...states.map(s => [s.name, 'n']), ['selected', 'n']];
  $('as-table').lastElementChild.replaceChildren(table('States by range of indexes', columns, rows, ([from, n]) => {
    const {counts, picked} = tally(from, n);
    return line(columns, [rangeName(from, n).replace(/^\w+ /, ''), ...[...counts, picked].map(count)]);
  }));
}
