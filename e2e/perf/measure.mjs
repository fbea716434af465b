// Measurements. Each opens a page of its own.
import { parted, recorded } from './tracing.mjs';

/** Before any script of the page: collects paints, long tasks, the module's memory. */
function watchPage() {
  window.measured = { largest: 0, tasks: [], memory: null };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.measured.largest = entry.startTime;
  }).observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.measured.tasks.push([entry.startTime, entry.duration]);
  }).observe({ type: 'longtask', buffered: true });
  const keep = (result) => {
    window.measured.memory = (result.instance ?? result).exports.memory ?? window.measured.memory;
    return result;
  };
  const { instantiate, instantiateStreaming } = WebAssembly;
  WebAssembly.instantiate = (...all) => instantiate(...all).then(keep);
  WebAssembly.instantiateStreaming = (...all) => instantiateStreaming(...all).then(keep);
}

async function open(browser, address, { slow = 1, mbit = 0 } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(watchPage);
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  if (slow > 1) await cdp.send('Emulation.setCPUThrottlingRate', { rate: slow });
  if (mbit > 0) {
    const speed = (mbit * 1_000_000) / 8;
    await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 40, downloadThroughput: speed, uploadThroughput: speed });
  }
  const origin = new URL(address).origin;
  const seen = { foreign: 0, kb: 0 };
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (target.origin !== origin && !['data:', 'blob:'].includes(target.protocol)) seen.foreign += 1;
  });
  cdp.on('Network.loadingFinished', ({ encodedDataLength }) => { seen.kb += encodedDataLength / 1000; });
  await page.goto(address);
  return { context, page, cdp, seen };
}

/** The first load of a page, slowed down. */
export async function load(browser, address) {
  const { context, page, seen } = await open(browser, address, { slow: 4, mbit: 10 });
  await page.locator('.cells, .ribbon svg').first().waitFor();
  await page.waitForTimeout(1500);
  const largest = await page.evaluate(() => window.measured.largest);
  await context.close();
  return { largest, ...seen };
}

function summed(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { median: at(0.5), p95: at(0.95), most: sorted.at(-1) ?? 0 };
}

/**
 * Makes a scenario longer in the page, as a reader would: its `ping -c` sends so many requests. Gives the number of steps.
 */
async function lengthen(page, pings) {
  const area = page.locator('.editor textarea');
  const text = await area.inputValue();
  const more = text.replace(/(ping[^\n]* -c ?)\d+/g, `$1${pings}`);
  if (more === text) throw new Error('the scenario has no `ping -c` to make longer');
  const before = await page.locator('.where .n').innerText();
  await area.fill(more);
  await page.waitForFunction((old) => document.querySelector('.where .n')?.textContent !== old, before, { timeout: 600_000 });
  await page.waitForTimeout(500);
}

/** In the page: steps on, and what each has changed (if that is counted) and how long it took by the clock. */
async function stepOn({ limit, start, counting, key }) {
  const count = () => document.querySelector('.where .n').textContent.split('/');
  const total = Number(count()[1].replace(/\D/g, ''));
  let changes = [];
  const observer = new MutationObserver((records) => { changes.push(...records); });
  if (counting) observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  const task = (run) => new Promise((done) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = () => done(run?.()); port2.postMessage(0); });
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const idle = () => new Promise((done) => requestIdleCallback(done, { timeout: 400 }));
  const press = (key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  const out = { total, nodes: [], script: [], paint: [] };
  const scrub = document.querySelector('.scrub');
  if (start > 0) {
    scrub.value = String(Math.floor(total * start));
    scrub.dispatchEvent(new Event('input', { bubbles: true }));
  } else {
    press('Home');
  }
  await frame();
  await task();
  await frame();
  await task();
  window.measured.tasks.length = 0;
  for (let n = 0; n < Math.min(total - 1, limit); n += 1) {
    await frame();
    await task();
    changes = [];
    let begun = 0;
    // The key comes in a task of its own, as from the keyboard: what follows at once is in that task.
    await task(() => {
      performance.mark(`step ${n}`);
      begun = performance.now();
      press(key);
    });
    await task();
    out.script.push(performance.now() - begun);
    await frame();
    await task();
    performance.mark(`painted ${n}`);
    out.paint.push(performance.now() - begun);
    // What was put off counts too.
    await idle();
    await task();
    performance.mark(`over ${n}`);
    const touched = new Set();
    for (const record of [...changes, ...observer.takeRecords()]) {
      for (const node of [record.target, ...record.removedNodes]) touched.add(node);
      // What is put into the document counts with all that is in it.
      for (const node of record.addedNodes) {
        touched.add(node);
        const inside = document.createTreeWalker(node);
        while (inside.nextNode()) touched.add(inside.currentNode);
      }
    }
    out.nodes.push(touched.size);
  }
  observer.disconnect();
  out.longest = Math.max(0, ...window.measured.tasks.map(([, duration]) => duration));
  return out;
}

/**
 * Steps through a scenario: nodes changed, processor time of script and of the picture for each step, and
 * both by the clock. `start`: from which part of the way on.
 *
 * Nodes are counted on a walk of its own: counting takes a tenth of what a step takes. `empty` is what the measure
 * itself takes, of a key that does nothing; it is taken off the script.
 */
export async function steps(browser, address, { slow = 1, pings = 0, most = 400, start = 0 }) {
  const { context, page } = await open(browser, address, { slow });
  await page.locator('.controls').waitFor();
  if (pings > 0) await lengthen(page, pings);
  await page.waitForTimeout(300);
  const go = (options) => page.evaluate(stepOn, { limit: most, start, counting: false, key: 'ArrowRight', ...options });
  const { nodes } = await go({ counting: true });
  const nothing = parted(await recorded(browser, page, () => go({ key: 'F24', limit: 60 })));
  const empty = summed(nothing.map((step) => step.script)).median;
  const { result, marks, events } = await recorded(browser, page, () => go({}));
  await context.close();
  const all = parted({ marks, events });
  for (const step of all) step.script = Math.max(0, step.script - empty);
  const of = (what) => summed(all.map((step) => step[what]));
  return {
    total: result.total, count: result.script.length, longest: result.longest, nodes: summed(nodes), empty,
    over: nodes.filter((nodes) => nodes > 100).length,
    script: of('script'), frame: of('frame'), forced: of('forced'), later: of('later'),
    both: summed(all.map((step) => step.script + step.frame)),
    clock: { script: summed(result.script), paint: summed(result.paint) },
  };
}

/** Walks to and fro, and says how much memory has grown meanwhile, in KB. */
export async function walk(browser, address, count) {
  const { context, page, cdp } = await open(browser, address);
  await page.locator('.controls').waitFor();
  const go = (times) => page.evaluate(async (times) => {
    const soon = () => new Promise((done) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = done; port2.postMessage(0); });
    const press = (key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    for (let n = 0; n < times; n += 1) {
      press(Math.floor(n / 100) % 2 ? 'ArrowLeft' : 'ArrowRight');
      await soon();
    }
  }, times);
  const size = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    const { usedSize } = await cdp.send('Runtime.getHeapUsage');
    const module = await page.evaluate(() => window.measured.memory?.buffer.byteLength ?? 0);
    return { heap: usedSize / 1024, module: module / 1024 };
  };
  await page.locator('body').press('Home');
  await go(400);
  const before = await size();
  await go(count);
  const after = await size();
  await context.close();
  const heap = after.heap - before.heap;
  const module = after.module - before.module;
  return { heap, module, growth: Math.max(0, heap) + module };
}
