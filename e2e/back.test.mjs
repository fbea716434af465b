// What a step back costs, counted as steps.test.mjs counts a step on.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

/** In the page: so many steps by a key, and how many nodes each has touched, in their order. */
async function walk([count, key]) {
  const soon = () => new Promise((done) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = done; port2.postMessage(0); });
  let touched = new Set();
  const observer = new MutationObserver((records) => {
    for (const record of records) {
      touched.add(record.target);
      for (const node of record.addedNodes) touched.add(node);
      for (const node of record.removedNodes) touched.add(node);
    }
  });
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  const out = [];
  for (let n = 0; n < count; n += 1) {
    touched = new Set();
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    await soon();
    await soon();
    out.push(touched.size);
  }
  observer.disconnect();
  return out;
}

// A step back shows what the step before showed: it touches what the step on has touched, and a few that were made anew.
for (const zoom of ['functions', 'instructions']) {
  test(`stepping back touches as many nodes as stepping on, ${zoom}`, async ({ page, url }) => {
    await page.goto(`${url}/s/seed?at=set_tag.entry@rx%232&z=${zoom}`);
    await page.locator('.controls').waitFor();
    await page.locator('.ribbon .hx').first().waitFor();
    const place = () => page.locator('.where').innerText();
    const start = await place();
    const on = await page.evaluate(walk, [40, 'ArrowRight']);
    const back = await page.evaluate(walk, [40, 'ArrowLeft']);
    assert.equal(await place(), start, 'as many back as on');
    const sum = (all) => all.reduce((a, b) => a + b, 0);
    assert.ok(sum(on) > 80, `steps change something: ${sum(on)}`);
    assert.ok(sum(back) <= 1.25 * sum(on), `on ${sum(on)}, back ${sum(back)}`);
    const most = Math.max(...on);
    assert.ok(Math.max(...back) <= 1.5 * most, `most on ${most}, most back ${Math.max(...back)}`);
  });
}
