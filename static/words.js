// A word of the prose and what it names in the picture light one another, under the pointer and with the focus.
// habits.js loads this script when one of them is first come to.

/** What holds words. In the first three every sentence is about the step that is drawn. */
const PROSE = '.says .say, .seen, .told p, .rule .text';
const STEP = '.says, .seen';
/** Where words and pictures belong together. */
const ROOM = '.stepper, .story, .rule';

const POINTERS = [
  'data_hard_start', 'data_meta', 'data_end', 'meta_end', 'mac_header', 'network_header', 'transport_header', 'head', 'data', 'tail', 'end',
];
/** Words that are ordinary ones too: they are a pointer where they are set as code, or told of a step. */
const PLAIN = ['head', 'data', 'tail', 'end'];
const LAYERS = ['Ethernet', 'VLAN', 'MPLS', 'IPv4', 'IPv6', 'GRE', 'VXLAN', 'GENEVE', 'L2TP', 'UDP', 'TCP', 'ICMPv6', 'ICMP', 'payload', 'tag'];
const ZONES = ['headroom', 'metadata', 'gap', 'packet', 'tailroom'];

const WORD = new RegExp(
  [
    '(\\d+)–(\\d+)',
    '\\b(MAC|network|transport) header\\b',
    `(?<![\\w.])(${POINTERS.join('|')})(?!\\w|\\()`,
    `\\b(${LAYERS.join('|')})(?: header| label)?\\b`,
    `\\b(${ZONES.join('|')})\\b`,
    '(\\d+)',
  ].join('|'),
  'g',
);

// Styles of its own, so that no other page loads them.
{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    .w { text-decoration: underline dotted var(--room-line) 1.5px; text-underline-offset: 4px; border-radius: 3px; }
    .w.lit { background: var(--hl); box-shadow: 0 0 0 2px var(--hl); text-decoration: underline solid var(--accent) 2px; }
    .region.lit rect { stroke: var(--accent); stroke-width: 2.5; stroke-dasharray: none; }
    .zone.lit path { stroke: var(--accent); stroke-width: 3.5; stroke-dasharray: none; }
    .zone.lit text, .region.lit .rl, .pl.lit text, .pl.lit .po { fill: var(--accent); font-weight: 600; }
    .lit-bytes { fill: var(--accent); fill-opacity: .16; stroke: var(--accent); stroke-width: 2; pointer-events: none; }
    .lit-pointer { stroke: var(--accent); stroke-width: 3; pointer-events: none; }
    [data-offset].lit { box-shadow: inset 0 0 0 2px var(--accent); }
    .fields .lit { background: var(--hl); }
    @media print { .w { text-decoration: none; } }
  `);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

/** What a match names: `pointer data`, `layer GRE`, `zone gap`, `bytes 290 294` (the end is one past the last). */
function named(match, inCode, text, at) {
  const [whole, first, last, header, pointer, layer, zone, number] = match;
  if (first) return Number(first) <= Number(last) ? `bytes ${first} ${Number(last) + 1}` : null;
  if (header) return `pointer ${header.toLowerCase()}_header`;
  if (pointer) return PLAIN.includes(pointer) && !inCode ? null : `pointer ${pointer}`;
  if (layer) return `layer ${layer}`;
  if (zone) return `zone ${zone}`;
  // A number alone is a place only where the sentence says so: `at 290`, `256 → 294`.
  const before = /(?:\b(?:at|to|from|offset|byte)|→) $/.test(text.slice(0, at));
  const after = /^(?: bytes?\b|\.\d| up\b| down\b|\w)/.test(text.slice(at + whole.length));
  return before && !after ? `bytes ${number} ${Number(number) + 1}` : null;
}

/** What tells crates/web/src/parts/say.rs that the texts of a sentence are not its own any more. */
const DRESSED = 'data-dressed';

/** Marks the words of a sentence that name something. */
function dress(sentence) {
  if (sentence.hasAttribute(DRESSED)) return;
  sentence.setAttribute(DRESSED, '');
  const step = Boolean(sentence.closest(STEP));
  const texts = [];
  const walker = document.createTreeWalker(sentence, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) texts.push(walker.currentNode);
  const all = texts.map((node) => node.data).join('');
  let start = 0;
  for (const node of texts) {
    const begin = start;
    start += node.data.length;
    const parent = node.parentElement;
    if (parent.closest('.who, a')) continue;
    const inCode = step || parent.tagName === 'CODE';
    const parts = [];
    let done = 0;
    for (const match of node.data.matchAll(WORD)) {
      const what = named(match, inCode, all, begin + match.index);
      if (!what) continue;
      const word = document.createElement('span');
      word.className = 'w';
      word.dataset.names = what;
      word.tabIndex = -1;
      word.textContent = match[0];
      parts.push(node.data.slice(done, match.index), word);
      done = match.index + match[0].length;
    }
    if (parts.length > 0) node.replaceWith(...parts, node.data.slice(done));
  }
}

/** The pictures that a sentence is about: those of its designs, of the place that both are in. */
function pictures(sentence) {
  const room = sentence.closest(ROOM);
  const who = sentence.querySelector('.who:not(:empty)')?.textContent.split(' · ');
  const figures = [...(room?.querySelectorAll('.design') ?? [])];
  const of = figures.filter((figure) => !who || who.includes(figure.querySelector('.dname')?.textContent));
  return of.map((figure) => [...figure.querySelectorAll('.ribbon svg[data-scale]')].find((svg) => svg.checkVisibility())).filter(Boolean);
}

/** The scale of a picture: where an offset is, and which one is at a place. */
function scale(svg) {
  const pieces = svg.dataset.scale.split(' ').map((pair) => pair.split(',').map(Number));
  const units = pieces.at(-1)[1];
  const width = svg.viewBox.baseVal?.width || Number(svg.getAttribute('width'));
  const unit = width / units;
  const between = (value, from, to) => {
    for (let n = 1; n < pieces.length; n += 1) {
      const [low, high] = [pieces[n - 1], pieces[n]];
      if (value <= high[from]) return low[to] + ((value - low[from]) * (high[to] - low[to])) / (high[from] - low[from]);
    }
    return pieces.at(-1)[to];
  };
  const seen = () => svg.getBoundingClientRect().width / width;
  return {
    x: (offset) => between(offset, 0, 1) * unit,
    offset: (clientX) => Math.floor(between((clientX - svg.getBoundingClientRect().left) / seen() / unit, 1, 0) + 1e-6),
  };
}

const labelOf = (group) => group.textContent.trim();
const offsetOf = (label) => Number(/^\d+/.exec(labelOf(label))?.[0]);
const shown = (element) => element.style.display !== 'none' && !element.hasAttribute('hidden');

let lit = [];

/** What is lit was of a step: with another sentence, or another width, it is of none. */
const told = new MutationObserver((records) => {
  if (records.some(({ target }) => target.closest?.('.says, .told'))) dark();
});

/** Nothing is lit any more. */
function dark() {
  for (const one of lit) {
    if (one.made) one.made.remove();
    else one.classList.remove('lit');
  }
  lit = [];
  told.disconnect();
}

function light(element) {
  element.classList.add('lit');
  lit.push(element);
}

/** A shape over the bytes of a picture. */
function over(svg, name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  svg.querySelector('.region')?.closest('svg > g')?.append(made);
  lit.push({ made });
}

/** Lights in a picture what a word names; says whether there is such a thing. */
function show(svg, what) {
  const [kind, name, end] = what.split(' ');
  if (kind === 'bytes') {
    const { x } = scale(svg);
    const [from, to] = [x(Number(name)), x(Number(end))];
    over(svg, 'rect', { class: 'lit-bytes', x: from, y: -3, width: Math.max(to - from, 1), height: 38 });
    return;
  }
  if (kind === 'pointer') {
    const label = [...svg.querySelectorAll('.pl')].find((one) => labelOf(one).split(/[\s·]+/).includes(name));
    if (!label) return;
    light(label);
    const x = scale(svg).x(offsetOf(label));
    over(svg, 'line', { class: 'lit-pointer', x1: x, x2: x, y1: -3, y2: 42 });
    return;
  }
  if (kind === 'zone') {
    for (const zone of svg.querySelectorAll(`.zone.${name}`)) if (shown(zone)) light(zone);
    return;
  }
  const short = { Ethernet: 'Eth', payload: 'data' }[name] ?? name;
  for (const region of svg.querySelectorAll('.region')) {
    const label = labelOf(region);
    if (label.split(' ').some((word) => word === name || word === short)) light(region);
  }
}

/** Offsets are decimal; under the pointer they are said in hexadecimal too. */
function hex(element, text) {
  const said = text.replaceAll(/\d+/g, (number) => `0x${Number(number).toString(16)}`);
  if (!element.title && said !== text) element.title = said;
}

/** Lights what a word names, in the pictures of its sentence and in the grid of bytes. */
function fromWord(word) {
  dark();
  light(word);
  const sentence = word.closest(PROSE);
  watch(sentence.closest(ROOM));
  const what = word.dataset.names;
  if (what.startsWith('bytes')) hex(word, word.textContent);
  const all = pictures(sentence);
  for (const svg of all) show(svg, what);
  const [kind, first, end] = what.split(' ');
  const room = sentence.closest(ROOM);
  if (kind === 'bytes') {
    // The grid shows one design; where several are drawn, its heading says which.
    const name = room.querySelector('.bytes h2')?.textContent ?? '';
    const is = (svg) => name.includes(svg.closest('.design').querySelector('.dname').textContent);
    if (all.length === room.querySelectorAll('.design').length || all.some(is)) {
      for (const cell of room.querySelectorAll('.bytes [data-offset]')) {
        const offset = Number(cell.dataset.offset);
        if (offset >= Number(first) && offset < Number(end)) light(cell);
      }
    }
  }
  if (kind === 'pointer') {
    for (const row of room.querySelectorAll('.fields tr')) if (row.firstElementChild?.textContent.trim() === first) light(row);
  }
}

/** From here on another sentence ends what is lit; the marks of words have been made. */
function watch(room) {
  setTimeout(() => {
    if (lit.length > 0) told.observe(room, { childList: true, subtree: true });
  });
}

/** Lights the words that name something, in the sentences that are about a picture; without one, in all of the room. */
function words(room, svg, is) {
  watch(room);
  for (const sentence of room.querySelectorAll(PROSE)) {
    if (svg && !pictures(sentence).includes(svg)) continue;
    dress(sentence);
    for (const word of sentence.querySelectorAll('.w')) if (is(word.dataset.names)) light(word);
  }
}

/** Whether a word names a byte, or the region that it lies in. */
function about(offset, region) {
  const label = region ? labelOf(region).split(' ') : [];
  return (what) => {
    const [kind, name, end] = what.split(' ');
    if (kind === 'bytes') return offset >= Number(name) && offset < Number(end);
    return kind === 'layer' && (label.includes(name) || (name === 'Ethernet' && label.includes('Eth')));
  };
}

/** From the picture to the words. */
function fromPicture(svg, target, clientX) {
  const room = svg.closest(ROOM);
  if (!room || !svg.dataset.scale) return;
  dark();
  const zone = target.closest('.zone');
  let label = target.closest('.pl');
  if (target.closest('.tick')) {
    const at = target.closest('.tick').getBoundingClientRect();
    const near = (one) => Math.abs(scale(svg).x(offsetOf(one)) - scale(svg).x(scale(svg).offset(at.left + at.width / 2)));
    label = [...svg.querySelectorAll('.pl')].sort((a, b) => near(a) - near(b))[0];
  }
  if (zone) {
    light(zone);
    const kind = ZONES.find((one) => zone.classList.contains(one));
    words(room, svg, (what) => what === `zone ${kind}`);
  } else if (label) {
    light(label);
    const names = labelOf(label).split(/[\s·]+/);
    words(room, svg, (what) => what.startsWith('pointer ') && names.includes(what.slice(8)));
  } else {
    const inside = (region) => {
      const box = region.querySelector('rect').getBoundingClientRect();
      return clientX >= box.left && clientX < box.right;
    };
    const region = target.closest('.region') ?? [...svg.querySelectorAll('.region')].find(inside);
    if (!region) return;
    light(region);
    words(room, svg, about(scale(svg).offset(clientX), region));
  }
}

/** From a byte of the grid to the words. */
function fromByte(cell) {
  const room = cell.closest(ROOM);
  if (!room) return;
  dark();
  hex(cell, `${cell.dataset.offset}`);
  words(room, null, about(Number(cell.dataset.offset), null));
}

/** From a field of the table to the words, and to its pointer. */
function fromField(row) {
  const room = row.closest(ROOM);
  const name = row.firstElementChild?.textContent.trim();
  if (!room || !POINTERS.includes(name)) return;
  dark();
  light(row);
  for (const value of row.querySelectorAll('td b')) {
    value.removeAttribute('title');
    hex(value, value.textContent);
  }
  words(room, null, (what) => what === `pointer ${name}`);
  for (const svg of room.querySelectorAll('.ribbon svg[data-scale]')) if (svg.checkVisibility()) show(svg, `pointer ${name}`);
}

function come(event) {
  const target = event.target instanceof Element ? event.target : null;
  const word = target?.closest('.w');
  if (word) return fromWord(word);
  const sentence = target?.closest(PROSE);
  if (sentence) dress(sentence);
  else if (target?.matches('.says')) wordsOf(target);
  const cell = target?.closest('[data-offset]');
  if (cell) return fromByte(cell);
  const row = target?.closest('.fields tr');
  if (row) return fromField(row);
  if (event.type === 'focusin') return undefined;
  const svg = target?.closest('.ribbon svg');
  if (svg) return fromPicture(svg, target, event.clientX);
  // What the focus lights stays lit.
  const focused = document.activeElement?.closest('.w');
  return focused ? fromWord(focused) : dark();
}

/** The words of a place that the Tab key comes to. */
const wordsOf = (place) => {
  for (const sentence of place.matches(PROSE) ? [place] : place.querySelectorAll(PROSE)) dress(sentence);
  return [...place.querySelectorAll('.w')];
};

let pressed = false;

function key(event) {
  const at = document.activeElement;
  const place = at?.closest('.says, .seen, .told p, .rule .text');
  if (!place || pressed || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const all = wordsOf(place);
  const now = all.indexOf(at);
  const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: all.length - 1 }[event.key];
  if (event.key === 'Escape' && now >= 0) {
    (place.tabIndex === 0 ? place : place.closest('[tabindex="0"]'))?.focus();
    dark();
  } else if (to === undefined || all.length === 0) {
    return;
  } else {
    all[Math.max(0, Math.min(to, all.length - 1))].focus();
  }
  // Otherwise the arrow would be a step as well.
  event.preventDefault();
}

/** Places are others in another width; the picture is drawn anew first. */
addEventListener('resize', () => {
  dark();
  setTimeout(() => {
    const focused = document.activeElement?.closest('.w');
    if (focused) fromWord(focused);
  }, 100);
});

// A click into the text is no way to its words by arrows: those stay steps.
addEventListener('pointerdown', () => { pressed = true; }, true);
addEventListener('keydown', (event) => { if (event.key === 'Tab') pressed = false; }, true);
document.addEventListener('keydown', key);
document.addEventListener('pointerover', come);
document.addEventListener('focusin', come);
document.addEventListener('focusout', (event) => { if (event.target.closest?.('.w, [data-offset], .fields tr')) dark(); });
// Over the bytes the pointer goes from one to the next within one shape.
document.addEventListener('pointermove', (event) => { if (event.target.classList?.contains('hit')) come(event); });

/** The event that loaded this script. */
export const start = come;
