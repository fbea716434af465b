// Habits that every page shares and that need no module: swipes, and how dense the page is.

// A swipe over the picture is a step: to the left the next one, to the right the one before. It says so by the
// keys that do the same, so there is one way to step. What scrolls sideways by itself keeps its own swipe.
{
  /** At least so far, in CSS pixels; twice as far sideways as up or down; within so many milliseconds. */
  const FAR = 48;
  const STEEP = 2;
  const LONG = 700;
  let begun = null;

  const scrolls = (element) => {
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      if (at.scrollWidth > at.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(at).overflowX)) return true;
    }
    return false;
  };

  addEventListener('touchstart', (event) => {
    const [touch] = event.touches;
    const over = event.target instanceof Element && event.target.closest('.stepper');
    const field = over && event.target.closest('input, select, textarea, .controls');
    begun = over && !field && event.touches.length === 1 && !scrolls(event.target)
      ? { x: touch.clientX, y: touch.clientY, at: event.timeStamp }
      : null;
  }, { passive: true });

  addEventListener('touchend', (event) => {
    const [touch] = event.changedTouches;
    if (!begun || event.touches.length > 0 || !touch) return;
    const [x, y] = [touch.clientX - begun.x, touch.clientY - begun.y];
    const swiped = Math.abs(x) >= FAR && Math.abs(x) >= STEEP * Math.abs(y) && event.timeStamp - begun.at <= LONG;
    begun = null;
    if (!swiped) return;
    const key = x < 0 ? 'ArrowRight' : 'ArrowLeft';
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  }, { passive: true });

  addEventListener('touchcancel', () => { begun = null; }, { passive: true });
}

// Dense or comfortable, by a key (Shift and d) or a button; theme.js sets what was chosen before the first paint.
{
  const turn = () => {
    const root = document.documentElement;
    const dense = root.dataset.density !== 'dense';
    if (dense) root.dataset.density = 'dense';
    else delete root.dataset.density;
    document.querySelector('.density')?.setAttribute('aria-pressed', dense);
    try {
      if (dense) localStorage.setItem('density', 'dense');
      else localStorage.removeItem('density');
    } catch {
      // A sandboxed frame keeps nothing.
    }
  };

  addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('.density')) turn();
  });

  addEventListener('keydown', (event) => {
    if (event.key !== 'D' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest('input, select, textarea, dialog[open]')) return;
    turn();
    event.preventDefault();
  });
}

// The palette and the sheet of keys, by a key or a button: a script of their own, that is loaded when one of them is wanted.
{
  const want = (event, what) => {
    event.preventDefault();
    import('/find.js').then((script) => script[what](event));
  };

  addEventListener('click', (event) => {
    const button = event.target instanceof Element && event.target.closest('.find, [data-keys]');
    if (button) want(event, button.matches('.find') ? 'palette' : 'keys');
  });

  addEventListener('keydown', (event) => {
    const { key, target } = event;
    const control = event.ctrlKey || event.metaKey;
    if (control && key.toLowerCase() === 'k') want(event, 'palette');
    if (control || event.altKey) return;
    if (target instanceof Element && target.closest('input, select, textarea, dialog[open], .program-pane')) return;
    const what = { '?': 'keys', c: 'compare' }[key] ?? (event.shiftKey && /^Arrow(Left|Right)$/.test(key) ? 'change' : null);
    if (what && (what !== 'change' || document.querySelector('.finder'))) want(event, what);
  }, true);
}

// The focus when what has it goes: a script of its own too, loaded when a key is first pressed.
addEventListener('keydown', () => import('/focus.js'), { once: true });

// Words and what they name in the picture light one another: a script of its own too, loaded when one first comes to either.
{
  const PLACES = '.says, .seen, .told p, .rule .text, .ribbon svg, [data-offset], .fields tr';
  const events = ['pointerover', 'focusin'];
  const want = (event) => {
    if (!(event.target instanceof Element && event.target.closest(PLACES))) return;
    for (const name of events) removeEventListener(name, want);
    import('/words.js').then((script) => script.start(event));
  };
  for (const name of events) addEventListener(name, want);
}
