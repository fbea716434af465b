// What has the focus may go when its key is pressed: a button in a list that is drawn anew, a part of the page that is closed. The
// focus is then on its like, else on what stands in its place. habits.js loads this script when a key is first pressed.

const CAN = 'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex="0"]';
/** For so long what was pressed may go, in milliseconds: a run of the simulator may lie between. */
const LONG = 2000;

const all = () => [...document.querySelectorAll(CAN)].filter((element) => element.checkVisibility());
const called = (element) => element.getAttribute('aria-label') ?? element.textContent;

let byKey = true;
let watch = null;

/** What the focus goes to when `gone` is gone. */
function heir({ gone, name, above, before }) {
  const around = above.find((element) => element.isConnected) ?? document.body;
  const now = all();
  const like = now.find((element) => around.contains(element) && element.className === gone.className && called(element) === name);
  const last = before.findLast((element) => element.isConnected && now.includes(element));
  return like ?? now[now.indexOf(last) + 1] ?? last;
}

function keep(event) {
  const gone = byKey && event.target instanceof Element && event.target.closest(CAN);
  if (!gone) return;
  const above = [];
  for (let at = gone.parentElement; at; at = at.parentElement) above.push(at);
  const there = all();
  const kept = { gone, name: called(gone), above, before: there.slice(0, there.indexOf(gone)) };
  watch?.();
  const look = () => requestAnimationFrame(() => {
    if (document.activeElement !== document.body) return;
    if (gone.isConnected && !gone.disabled) return;
    watch?.();
    heir(kept)?.focus();
  });
  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ['disabled'] });
  const clock = setTimeout(() => watch?.(), LONG);
  watch = () => {
    observer.disconnect();
    clearTimeout(clock);
    watch = null;
  };
}

addEventListener('keydown', () => { byKey = true; }, true);
addEventListener('pointerdown', () => { byKey = false; }, true);
for (const name of ['click', 'change']) addEventListener(name, keep, true);
