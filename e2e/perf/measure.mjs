// Measurements. Each opens a page of its own.

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

/** Steps through a scenario: nodes changed, script, and time to paint for each step. */
export async function steps(browser, address, { slow, pings = 0, most = 400 }) {
  const { context, page } = await open(browser, address, { slow });
  await page.locator('.controls').waitFor();
  if (pings > 0) {
    const area = page.locator('.editor textarea');
    const text = await area.inputValue();
    const more = text.replace(/(ping[^\n]* -c ?)\d+/g, `$1${pings}`);
    if (more === text) throw new Error('the scenario has no `ping -c` to make longer');
    const before = await page.locator('.where .n').innerText();
    await area.fill(more);
    await page.waitForFunction((old) => document.querySelector('.where .n')?.textContent !== old, before, { timeout: 120_000 });
    await page.waitForTimeout(500);
  }
  await page.locator('body').press('Home');
  await page.waitForTimeout(300);
  const result = await page.evaluate(async (limit) => {
    const total = Number(document.querySelector('.where .n').textContent.split('/')[1].replace(/\D/g, ''));
    const touched = new Set();
    const observer = new MutationObserver((records) => {
      for (const record of records) {
        touched.add(record.target);
        for (const node of record.addedNodes) touched.add(node);
        for (const node of record.removedNodes) touched.add(node);
      }
    });
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    const soon = () => new Promise((done) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = done; port2.postMessage(0); });
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const out = { total, nodes: [], script: [], paint: [] };
    window.measured.tasks.length = 0;
    // From the start, and once more from the middle: both are places where people step.
    for (let n = 0; n < Math.min(total - 1, limit); n += 1) {
      await frame();
      await soon();
      touched.clear();
      const start = performance.now();
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true, cancelable: true }));
      await soon();
      out.script.push(performance.now() - start);
      await frame();
      await soon();
      out.paint.push(performance.now() - start);
      for (const record of observer.takeRecords()) touched.add(record.target);
      out.nodes.push(touched.size);
    }
    observer.disconnect();
    out.longest = Math.max(0, ...window.measured.tasks.map(([, duration]) => duration));
    return out;
  }, most);
  await context.close();
  return {
    total: result.total, count: result.nodes.length, longest: result.longest,
    nodes: summed(result.nodes), script: summed(result.script), paint: summed(result.paint),
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
