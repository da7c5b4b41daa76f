'use strict';
performance.mark('begin');
// The data, and how it is written for people. Whatever a command printed is hostile: it
// goes through shown(), and into the page as text nodes by h() alone.

const data = JSON.parse(document.getElementById('data').textContent);
const report = data.report;
const $ = id => document.getElementById(id);

// The states by their letters: what is settled, what is not.
const states = [
  {letter: 'd', name: 'done', glyph: '■'},
  {letter: 's', name: 'skipped', glyph: '–'},
  {letter: 'f', name: 'failed', glyph: '×'},
  {letter: 'r', name: 'running', glyph: '▸'},
  {letter: 'b', name: 'started', glyph: '○'},
  {letter: '.', name: 'missing', glyph: '·'},
];
const [DONE, SKIPPED, FAILED, , , MISSING] = states.keys();

// spans are the ranges of indexes that there should be; before: how many come earlier.
const spans = [];
let total = 0;
for (const [first, last] of ranges(data.of)) {
  spans.push({first, last, before: total});
  total += last - first + 1;
}
const stateAt = new Uint8Array(total);
{
  const numberOf = new Uint8Array(128);
  states.forEach((s, i) => numberOf[s.letter.charCodeAt(0)] = i);
  for (let k = 0; k < total; k++) stateAt[k] = numberOf[data.states.charCodeAt(k)];
}

// ranges reads a list such as 3,7-9; null: it is none.
function ranges(text) {
  const all = [];
  for (const part of text.split(/[\s,]+/).filter(Boolean)) {
    const found = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part);
    if (!found) return null;
    const first = Number(found[1]), last = Number(found[2] ?? found[1]);
    if (last < first) return null;
    all.push([first, last]);
  }
  return all;
}

// spanOf finds the last span that begins at or before a value of a field.
function spanOf(field, value) {
  let low = 0, high = spans.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (spans[middle][field] <= value) low = middle; else high = middle;
  }
  return spans[low];
}

// Arrays go by an index's position among those that there should be.
const indexAt = k => { const s = spanOf('before', k); return s.first + k - s.before; };
const positionOf = index => {
  const s = total ? spanOf('first', index) : null;
  return s && s.first <= index && index <= s.last ? s.before + index - s.first : -1;
};

// listOf writes the positions that test() picks, in Kubernetes' form.
function listOf(test) {
  const parts = [];
  let first = -1, last = -2;
  const flush = () => {
    if (first < 0) return;
    parts.push(last === first ? first : last === first + 1 ? first + ',' + last : first + '-' + last);
  };
  for (const span of spans) {
    for (let i = span.first, k = span.before; i <= span.last; i++, k++) {
      if (!test(k)) continue;
      if (i !== last + 1) { flush(); first = i; }
      last = i;
    }
  }
  flush();
  return parts.join(',');
}

// undelta gives the numbers that each stand there as a difference.
const undelta = list => { let at = 0; return list.map(d => at += d); };
const settledAt = new Float64Array(total); // seconds since 1970; 0: not settled
{
  const dates = undelta(data.settled);
  for (let k = 0, i = 0; k < total; k++) if (stateAt[k] <= SKIPPED) settledAt[k] = dates[i++];
}
const failedAt = new Map();
{
  const dates = undelta(data.failed_at);
  undelta(data.failed).forEach((index, i) => failedAt.set(index, dates[i]));
}
const failedTasks = report.task_failures ?? [];
const failures = report.failures ?? [], groups = report.groups ?? [], used = report.used?.each ?? [];
const failureOf = new Map(failures.map(f => [f.index, f]));
const usedOf = new Map(used.map(u => [u.index, u]));

// How things are written.

const count = n => n.toLocaleString('en-US');
const many = (n, one, more = one + 's') => count(n) + ' ' + (n === 1 ? one : more);

// share never rounds to nothing or to all.
function share(n, of) {
  if (!of || !n) return '0 %';
  const p = 100 * n / of;
  return (n === of ? '100' : p < 0.1 ? '<0.1' : p > 99.9 ? '>99.9' : p.toFixed(1)) + ' %';
}

function duration(s) {
  if (s < 1) return s < 0.001 ? '<1 ms' : Math.round(s * 1000) + ' ms';
  if (s < 60) return Number(s.toFixed(s < 10 ? 1 : 0)) + ' s';
  const units = [[86400, 'd', 'h', 3600], [3600, 'h', 'min', 60], [60, 'min', 's', 1]];
  const [size, name, next, small] = units.find(u => s >= u[0]);
  const rest = Math.floor(s % size / small);
  return Math.floor(s / size) + ' ' + name + (rest ? ' ' + rest + ' ' + next : '');
}

function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let u = 0;
  while (n >= 1024 && u < 4) { n /= 1024; u++; }
  return Number(n.toFixed(n < 10 && u ? 1 : 0)) + ' ' + units[u];
}

// Dates are in UTC, so that colleagues speak of the same.
const seconds = text => text ? Date.parse(text) / 1000 : 0;
const known = (n, write) => n > 0 ? write(n) : '';
const date = s => s > 0 ? new Date(s * 1000).toISOString().slice(0, 19).replace('T', ' ') + ' UTC' : 'not known';
const short = s => date(s).replace(' UTC', ''); // where the head of a table says it

// What can change how other text looks, or can't be seen: control characters, marks of
// direction, fillers. Colours of a terminal are left out, the rest is named.
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
function shown(text) {
  return text.replace(/\x1b\[[\d;:]*m/g, '').replace(/\r\n/g, '\n').replace(unseen, c => {
    const code = c.codePointAt(0);
    const name = '⟨U+' + code.toString(16).toUpperCase().padStart(4, '0') + '⟩';
    return code === 13 ? name + '\n' : name; // a progress bar draws over itself
  });
}
const brief = (text, most = 300) => shown(text.slice(0, most)).replace(/\s+/g, ' ').trim() + (text.length > most ? '…' : '');

// h makes an element. Attributes that are functions are listeners.
function h(tag, attributes = {}, ...children) {
  const svg = /^(svg|g|rect|path|line|text|title)$/.test(tag);
  const e = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') e.addEventListener(name, value);
    else if (value !== false && value != null) e.setAttribute(name, value === true ? '' : value);
  }
  e.append(...children.flat().filter(c => c != null && c !== false));
  return e;
}
const swatch = i => h('span', {class: 'swatch s' + i, 'aria-hidden': 'true'}, states[i].glyph);

// copyButton copies what get() gives; where a viewer forbids that, it says so.
function copyButton(label, get) {
  const button = h('button', {type: 'button', 'aria-label': 'Copy ' + label, click: async () => {
    const said = await navigator.clipboard?.writeText(get()).then(() => 'Copied', () => '') || byHand(get());
    button.textContent = said;
    setTimeout(() => button.textContent = 'Copy', 2000);
  }}, 'Copy');
  return button;
}
function byHand(text) {
  const area = h('textarea', {readonly: true, class: 'away'});
  area.value = text;
  document.body.append(area);
  area.select();
  const ok = document.execCommand('copy');
  area.remove();
  return ok ? 'Copied' : 'Select it by hand';
}

// copyLine shows a text that can be copied; get() gives all of it.
const copyLine = (name, text, get, ...more) => h('div', {class: 'copy'}, h('span', {}, name),
  h('code', {tabindex: 0, role: 'group', 'aria-label': name}, shown(text)), copyButton(name, get), ...more);
const cut = list => list.length > 2000 ? list.slice(0, list.lastIndexOf(',', 2000)) + ',…' : list;

// line makes a row of a table, whose first cell is its header.
const line = (columns, cells) => h('tr', {}, cells.map((c, i) => h(i ? 'td' : 'th', {scope: !i && 'row', class: columns[i][1]}, c)));

// table makes one with a head. row(item) gives an item's rows; they are made a page at a
// time.
function table(caption, columns, items, row, size = 25) {
  const body = h('tbody');
  const box = h('div', {class: 'scroll', role: 'region', tabindex: 0, 'aria-label': caption},
    h('table', {}, h('caption', {}, caption),
      h('thead', {}, h('tr', {}, columns.map(([name, kind]) => h('th', {scope: 'col', class: kind}, name)))), body));
  const pager = h('p', {class: 'pager'});
  let page = 0;
  const show = to => {
    page = to;
    body.replaceChildren(...items.slice(page * size, (page + 1) * size).flatMap(row));
    const last = Math.ceil(items.length / size) - 1;
    if (last < 1) return;
    const go = (name, by, off) => h('button', {type: 'button', disabled: off, click: () => {
      show(page + by);
      (pager.querySelector(`button[data-by="${by}"]:enabled`) ?? pager.querySelector('button:enabled')).focus();
    }, 'data-by': by}, name);
    pager.replaceChildren(go('Previous', -1, page === 0), go('Next', 1, page === last),
      h('span', {role: 'status'}, `${count(page * size + 1)}–${count(Math.min(items.length, (page + 1) * size))} of ${count(items.length)}`));
  };
  show(0);
  return h('div', {}, box, pager);
}
