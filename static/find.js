// The palette and the sheet of keys. habits.js loads this script when one of them is wanted for the first time.

/** What is printed for keys, and what they do. A test in crates/web/src/keys.rs holds those of the stepper to what it hears. */
const KEYS = [
  ['→ PageDown', 'next step'], // stepper
  ['← PageUp', 'previous step'], // stepper
  ['Home', 'first step'], // stepper
  ['End', 'last step'], // stepper
  ['Space', 'play, pause'], // stepper
  ['↑', 'look from farther away'], // stepper
  ['↓', 'look closer: instructions, then each write'], // stepper
  ['x', 'what is another than at the step before'], // stepper
  ['b', 'stop at writes to the chosen byte, else at this function'], // stepper
  ['.', 'next wrong read'], // stepper
  ['/', 'find a write, a change, a read; playing stops there'], // stepper
  ['n', 'next of what is found'], // stepper
  ['N', 'previous of what is found'], // stepper
  ['d', 'both designs, one, the other'], // stepper
  ['y', 'copy the link to this step'], // stepper
];

/** The keys of everywhere else. */
const OTHERS = [
  ['Shift+→ Shift+←', 'next, previous change of what is looked for, else of the chosen byte'],
  ['c', "the same step in Compare; there, beside the kernel's recording"],
  ['?', 'these keys'],
  ['⌘K Ctrl+K', 'go to a page, a scenario, the lab'],
  ['D', 'dense, comfortable'],
  ['f [ ]', 'in Compare: first, previous, next difference'],
  ['Ctrl+Space', 'in the lab: take the first completion'],
  ['Ctrl+Z Ctrl+Shift+Z', 'in the lab: undo, redo'],
];

const PAGES = [
  ['Story', '/'],
  ['Scenarios', '/s'],
  ['Compare', '/compare'],
  ['Matrix', '/matrix'],
  ['Lab', '/lab'],
  ['Designs and roadmap', '/designs'],
  ['Open a recording', '/open'],
  ['Rules', '/spec'],
];

/** What is taken along of a step, where the page has one button for all of it: the second module does that. */
const TAKE = ['Copy hex', 'Copy C array', 'Copy Scapy', 'Copy Markdown', 'Copy SVG', 'Save SVG', 'Save PNG'];

/** Most entries that are listed. */
const MOST = 12;

/** What kinds of places a scenario has: the word in front of its id is set apart. */
const KINDS = ['scenario', 'compare', 'lab'];

/** An element with attributes, and what is in it: elements and texts. */
function el(name, attributes = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}

/** Their style, which no page needs before one of them is shown. Where it can't be had, the words are there all the same. */
let style = null;
function dressed() {
  style ??= new Promise((done) => {
    const link = el('link', { rel: 'stylesheet', href: '/find.css' });
    for (const end of ['load', 'error']) link.addEventListener(end, done);
    document.head.append(link);
  });
  return style;
}

/**
 * Shows a dialog over everything; `part` of it gets the focus a moment later, or with the first key. Orca, which loses the page
 * behind it in that moment, says nothing of what has the focus at once, and takes letters for its own commands.
 */
function over(dialog, part) {
  if (!dialog.open) dialog.showModal();
  dialog.focus();
  const to = () => part.focus({ preventScroll: true });
  dialog.addEventListener('keydown', to, { once: true });
  setTimeout(to, 60);
}

/** Shows the sheet of keys over everything. */
export async function keys() {
  await dressed();
  let sheet = document.getElementById('keys');
  if (!sheet) {
    const row = ([print, words]) => {
      const cell = el('th', { scope: 'row' });
      for (const key of print.split(' ')) cell.append(el('kbd', {}, key), ' ');
      return el('tr', {}, cell, el('td', {}, words));
    };
    const table = (name, rows) => el('table', { 'aria-label': name }, el('tbody', {}, ...rows.map(row)));
    sheet = el(
      'dialog',
      { id: 'keys', class: 'sheet', 'aria-labelledby': 'keys-title', tabindex: '-1', autofocus: '' },
      el('h2', { id: 'keys-title' }, 'Keys'),
      el('div', { class: 'all' }, table('At a step', KEYS), table('Everywhere', OTHERS)),
      el('p', {}, 'In the story → and ← go from stop to stop. In the byte grid the arrows go from byte to byte, in a sentence that Tab comes to from word to word: what a word names is lit in the picture. A screen reader that keeps the arrow keys for itself gives them to the page in the bar of buttons (Tab, or its key for buttons).'),
      el('form', { method: 'dialog' }, el('button', { class: 'quiet' }, 'Close')),
    );
    document.body.append(sheet);
  }
  // The button at its end has the focus, and what is read first is in sight.
  over(sheet, sheet.querySelector('button'));
  sheet.scrollTop = 0;
}

/** The ids of all scenarios; they are asked for once, and anew where they could not be had. */
let ids = null;
async function scenarios() {
  try {
    const answer = ids ? null : await fetch('/data/ids.txt');
    if (answer?.ok) ids = (await answer.text()).split('\n').filter(Boolean);
  } catch {
    // The pages are there without them.
  }
  return ids ?? [];
}

/** As if a link was pressed: the site's module goes there without loading anew. */
function go(address) {
  const link = el('a', { href: address, hidden: '' });
  document.body.append(link);
  link.click();
  link.remove();
}

/** To the same step in Compare; from there to the kernel's own run, where there is one. */
export function compare() {
  const [, id] = /^\/s\/([^/]+)/.exec(location.pathname) ?? [];
  if (id) go(`/compare/${id}${location.search}`);
  else document.querySelector('.compare a[href*="recording"]')?.click();
}

/** The next or previous change of what is looked for; without that, of the chosen byte. By the keys that do so. */
export function change(event) {
  const press = (key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  if (!document.querySelector('.finder input')?.value) press('b');
  press(event.key === 'ArrowRight' ? 'n' : 'N');
}

/** The words of a button; what stands in parts of its own (a step's function and its hook) is kept apart. */
const apart = (button) => [...button.childNodes].map((part) => (part.nodeType === 1 ? ` ${part.textContent} ` : part.textContent)).join('');

/** The buttons of the page, by their words. */
function buttons() {
  const out = new Map();
  for (const button of document.querySelectorAll('main button:not(:disabled), .theme, .density')) {
    const words = (button.getAttribute('aria-label') ?? apart(button)).replace(/\s+/g, ' ').trim();
    if (words && !out.has(words)) out.set(words, () => button.click());
  }
  return [...out];
}

/** What is taken along: the words wait on the document for the module that presses the button with them. */
function takes() {
  const button = document.querySelector('.take:not(:disabled)');
  const take = (words) => [words, () => {
    document.documentElement.dataset.take = words;
    button.click();
  }];
  return button ? TAKE.map(take) : [];
}

/** Everything one can do or go to that holds all the words: what is said of it, and how it is done. */
function found(text, known) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const place = ([name, address]) => [name, () => go(address)];
  const all = PAGES.map(place);
  if (words.length > 0) all.push(...buttons(), ...takes());
  for (const id of known) {
    all.push(...[[`scenario ${id}`, `/s/${id}`], [`compare ${id}`, `/compare/${id}`], [`lab ${id}`, `/lab?s=${id}`]].map(place));
  }
  return all.filter(([name]) => words.every((word) => name.toLowerCase().includes(word))).slice(0, MOST);
}

let shown = null;

function made() {
  const field = el('input', {
    type: 'text', role: 'combobox', 'aria-label': 'Go to', 'aria-expanded': 'true', 'aria-controls': 'find-list', autocomplete: 'off', spellcheck: 'false',
  });
  const list = el('ul', { role: 'listbox', id: 'find-list', 'aria-label': 'Places' });
  const dialog = el('dialog', { class: 'sheet palette', 'aria-label': 'Go to', tabindex: '-1', autofocus: '' }, field, list);
  let [at, entries, known] = [0, [], []];
  const choose = (index) => {
    const entry = entries[index];
    if (!entry) return;
    dialog.close();
    entry[1]();
  };
  // Until something was typed or an arrow pressed the field has the focus alone: a screen reader that is told of an entry
  // at once says the entry and not the field.
  const mark = () => {
    field.setAttribute('aria-activedescendant', field.value || at > 0 ? `find-${at}` : '');
    [...list.children].forEach((row, index) => row.setAttribute('aria-selected', index === at));
  };
  const draw = () => {
    entries = found(field.value, known);
    at = 0;
    list.replaceChildren(...entries.map(([name], index) => {
      const [kind, rest] = name.split(' ');
      const words = KINDS.includes(kind) && rest ? [el('span', { class: 'kind' }, kind), ` ${rest}`] : [name];
      const row = el('li', { role: 'option', id: `find-${index}` }, ...words);
      row.addEventListener('click', () => choose(index));
      return row;
    }));
    mark();
  };
  field.addEventListener('input', draw);
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') choose(at);
    else if (event.key === 'ArrowDown') at = Math.max(0, Math.min(at + 1, entries.length - 1));
    else if (event.key === 'ArrowUp') at = Math.max(0, at - 1);
    else return;
    event.preventDefault();
    mark();
  });
  document.body.append(dialog);
  return {
    async open() {
      field.value = '';
      over(dialog, field);
      draw();
      known = await scenarios();
      draw();
    },
  };
}

/** Shows the palette: a few letters, and Enter. */
export async function palette() {
  await dressed();
  shown ??= made();
  shown.open();
}
