// The filter: which indexes it selects, and what can be done with them.

const filter = {states: new Set(), reason: '', node: '', text: '', indexes: []};
const match = new Uint8Array(total).fill(1); // by position
let matched = total;
const filtered = () => filter.states.size > 0 || filter.reason !== '' || filter.node !== '' || filter.text !== '' || filter.indexes.length > 0;

const totals = new Array(states.length).fill(0);
for (const s of stateAt) totals[s]++;

// haystack is what the text search looks into, made when it is first needed.
const haystacks = new Map();
function haystack(index) {
  let text = haystacks.get(index);
  if (text === undefined) {
    const f = failureOf.get(index), u = usedOf.get(index);
    text = [f?.stderr, f?.last, f?.text, f?.message, f?.pod, f?.node, u?.node].filter(Boolean).join('\n').toLowerCase();
    haystacks.set(index, text);
  }
  return text;
}

function has(index) {
  const f = failureOf.get(index);
  return (!filter.reason || f?.reason === filter.reason)
    && (!filter.node || f?.node === filter.node || usedOf.get(index)?.node === filter.node)
    && (!filter.text || haystack(index).includes(filter.text));
}

// select marks what the filter picks. Reasons, nodes and texts are known only of the
// documents that were read.
function select() {
  const of = states.map((_, i) => !filter.states.size || filter.states.has(i) ? 1 : 0);
  for (let k = 0; k < total; k++) match[k] = of[stateAt[k]];
  const also = test => { for (let k = 0; k < total; k++) match[k] &= test[k]; };
  if (filter.reason || filter.node || filter.text) {
    const read = new Uint8Array(total);
    for (const all of [failures, used]) {
      for (const {index} of all) {
        const k = positionOf(index);
        if (k >= 0 && has(index)) read[k] = 1;
      }
    }
    also(read);
  }
  if (filter.indexes.length) {
    const named = new Uint8Array(total);
    for (const [first, last] of filter.indexes) {
      for (const s of spans) {
        const from = Math.max(first, s.first), to = Math.min(last, s.last);
        if (from <= to) named.fill(1, s.before + from - s.first, s.before + to - s.first + 1);
      }
    }
    also(named);
  }
  matched = 0;
  for (let k = 0; k < total; k++) matched += match[k];
}

// selects tells it of an index that may be none of those that there should be.
function selects(index) {
  const k = positionOf(index);
  return k < 0 ? !filtered() : match[k] === 1;
}

function changed() {
  select();
  $('clear').disabled = !filtered();
  document.querySelectorAll('#states button').forEach((b, i) => b.setAttribute('aria-pressed', filter.states.has(i)));
  drawGrid();
  showSelected();
  showGroups();
}

// word quotes for a shell. What can't be seen stays as it is, for it is part of the name.
const word = text => /^[\w@%+=:,./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'";

// longest is what one word of a command line may have on Linux, 128 KiB, less some.
const longest = 131000;

// showSelected lists what is selected, once somebody selects.
function showSelected() {
  const box = $('selected');
  box.hidden = !filtered() || !matched;
  $('picked').replaceChildren(...filtered() ? [h('b', {}, count(matched)), ` of ${many(total, 'index', 'indexes')} selected`] : []);
  if (box.hidden) return;
  const list = listOf(k => match[k]);
  const urls = ' --markers ' + word(report.markers);
  const commands = [['Run again', `nth reset${urls} --indexes `], ['A Job of just these', `nth manifest${urls} --indexes `]];
  box.replaceChildren(copyLine('Index list', cut(list), () => list));
  if (list.length > longest) box.append(h('p', {class: 'hint'}, 'The list is too long for one word of a command line.'));
  else for (const [name, text] of commands) {
    const end = name === commands[0][0] ? '' : ' -- COMMAND…';
    box.append(copyLine(name, text + cut(list) + end, () => text + list + end));
  }
}

function buildFilter() {
  $('states').append(...states.map((s, i) => h('button', {type: 'button', 'aria-pressed': 'false', click: () => {
    if (!filter.states.delete(i)) filter.states.add(i);
    changed();
  }}, swatch(i), h('span', {}, s.name), h('b', {}, count(totals[i])), h('small', {}, share(totals[i], total)))));
  $('reason').append(...groups.map(g => h('option', {value: g.reason}, `${brief(g.reason)} (${count(g.count)})`)));
  const nodes = new Set([...failures, ...used].map(f => f.node).filter(Boolean));
  $('node').append(...[...nodes].sort().map(n => h('option', {value: n}, brief(n))));
  for (const name of ['reason', 'node']) $(name).addEventListener('change', () => { filter[name] = $(name).value; changed(); });
  $('text').addEventListener('input', () => { filter.text = $('text').value.trim().toLowerCase(); changed(); });
  $('indexes').addEventListener('input', () => {
    const list = ranges($('indexes').value);
    $('bad').textContent = list ? '' : 'Write indexes as 3,7-9.';
    $('indexes').setAttribute('aria-invalid', !list);
    if (list) { filter.indexes = list; changed(); }
  });
  $('clear').addEventListener('click', () => {
    Object.assign(filter, {states: new Set(), reason: '', node: '', text: '', indexes: []});
    $('filter').reset();
    $('bad').textContent = '';
    $('indexes').setAttribute('aria-invalid', false);
    changed();
    $('text').focus();
  });
  $('filter').addEventListener('submit', e => e.preventDefault());
}
