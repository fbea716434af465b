// What the browser's main thread does in a step, from Chromium's own tracing: processor time of the
// thread, by what it was spent on. Wall time says as much of the machine as of the page.
const RENDERING = new Set(['UpdateLayoutTree', 'Layout', 'PrePaint', 'Paint', 'Layerize', 'UpdateLayer', 'Commit', 'HitTest', 'IntersectionObserverController::computeIntersections']);
const SCRIPT = new Set(['FunctionCall', 'EventDispatch', 'RunMicrotasks', 'FireAnimationFrame', 'TimerFire', 'FireIdleCallback', 'EvaluateScript', 'MinorGC', 'MajorGC']);
const CATEGORIES = ['-*', 'devtools.timeline', 'blink.user_timing'];

/** Records what `run` does on a page; gives the events of the main thread that have a duration, in order, and the marks. */
export async function recorded(browser, page, run) {
  await browser.startTracing(page, { categories: CATEGORIES });
  const result = await run();
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const marks = traceEvents.filter((event) => event.cat === 'blink.user_timing' && /^(step|painted|over) \d+$/.test(event.name));
  const main = (event) => event.pid === marks[0]?.pid && event.tid === marks[0]?.tid;
  const events = traceEvents.filter((event) => event.ph === 'X' && main(event));
  if (marks.length === 0) throw new Error('the trace has no marks of steps');
  if (!events.some((event) => RENDERING.has(event.name) && event.tdur > 0)) throw new Error('this browser does not say processor time');
  const inTime = (a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0);
  return { result, marks: marks.filter(main).sort(inTime), events: events.sort(inTime) };
}

/** Adds to each event what it did itself: without the events that it contains. In milliseconds. */
function own(events) {
  const open = [];
  for (const event of events) {
    event.own = (event.tdur ?? 0) / 1000;
    while (open.length > 0 && open.at(-1).ts + (open.at(-1).dur ?? 0) <= event.ts) open.pop();
    const around = open.at(-1);
    if (around) around.own -= event.own;
    open.push(event);
  }
}

/**
 * For each step: `script`, whatever JavaScript and WebAssembly did from the key until the next step's
 * key, what was put off among it; `frame`, style, layout and paint up to the picture that shows the
 * step; `forced`, the part of it that a script asked for; `later`, the same work for later pictures
 * (a pointer that moves). In milliseconds of processor time.
 */
export function parted({ marks, events }) {
  own(events);
  const steps = marks.filter((mark) => mark.name.startsWith('step'));
  const find = (word, step) => marks.find((mark) => mark.name === `${word} ${step.name.split(' ')[1]}`)?.ts;
  let at = 0;
  return steps.map((step) => {
    const [painted, over] = [find('painted', step), find('over', step)];
    const out = { script: 0, frame: 0, forced: 0, later: 0 };
    while (at < events.length && events[at].ts < step.ts) at += 1;
    let script = null;
    for (; at < events.length && events[at].ts < over; at += 1) {
      const event = events[at];
      if (SCRIPT.has(event.name)) {
        out.script += Math.max(0, event.own);
        if (!script || event.ts >= script.ts + script.dur) script = event;
      } else if (RENDERING.has(event.name)) {
        const inside = script && event.ts < script.ts + script.dur;
        if (inside) out.forced += event.own;
        out[event.ts < painted ? 'frame' : 'later'] += event.own;
      }
    }
    return out;
  });
}
