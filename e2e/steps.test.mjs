// What a step costs, counted: nodes of the document that it touches. Times are e2e/perf's affair.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from './lib/harness.mjs';

const budgets = JSON.parse(readFileSync(new URL('./perf/budgets.json', import.meta.url), 'utf8'));

/** In the page: so many steps by a key, and how many nodes each has touched, in their order. */
async function walk([count, key]) {
  const soon = () => new Promise((done) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = done; port2.postMessage(0); });
  let touched = new Set();
  const observer = new MutationObserver((records) => {
    for (const record of records) {
      touched.add(record.target);
      // What is put into the document counts with all that is in it.
      for (const node of record.addedNodes) {
        touched.add(node);
        const inside = document.createTreeWalker(node);
        while (inside.nextNode()) touched.add(inside.currentNode);
      }
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

const MOST = budgets.nodes_per_step_p95;

test(`of twenty steps nineteen touch at most ${MOST} nodes`, async ({ page, url }) => {
  await page.goto(`${url}/s/seed`);
  await page.locator('.controls').waitFor();
  await page.locator('.ribbon .hx').first().waitFor();
  await page.locator('body').press('Home');
  const counts = (await page.evaluate(walk, [400, 'ArrowRight'])).sort((a, b) => a - b);
  const [median, p95] = [counts[200], counts[380]];
  assert.ok(median > 2, `a step changes something: median ${median}`);
  assert.ok(p95 <= MOST, `median ${median}, 95th ${p95}, most ${counts.at(-1)}`);
});

/** The step that the address names, and the one that is shown, in the words of the controls. */
const shown = (page) => page.locator('.where code').innerText();
const named = (page) => new URL(page.url()).searchParams.get('at');

test('a held key writes the address a few times, and the last time it is the step', async ({ page, url }) => {
  await page.addInitScript(() => {
    window.writes = 0;
    const { replaceState } = History.prototype;
    History.prototype.replaceState = function (...all) {
      window.writes += 1;
      return replaceState.apply(this, all);
    };
  });
  await page.goto(`${url}/s/seed?at=set_tag.entry@rx%232`);
  await page.locator('.controls').waitFor();
  await page.evaluate(walk, [40, 'ArrowRight']);
  await page.waitForTimeout(400);
  const writes = await page.evaluate(() => window.writes);
  assert.ok(writes >= 1 && writes <= 8, `${writes} writes for forty steps`);
  // What the address names is what a page opens with that is given it.
  const [address, words] = [page.url(), await shown(page)];
  await page.goto('about:blank');
  await page.goto(address);
  await page.locator('.controls').waitFor();
  assert.equal(await shown(page), words);
});

test('the entry that Back returns to is of the step one was at, however fast one left', async ({ page, url }) => {
  await page.goto(`${url}/s/seed?at=set_tag.entry@rx%232`);
  await page.locator('.controls').waitFor();
  await page.evaluate(() => {
    const press = (key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    for (let n = 0; n < 3; n += 1) press('ArrowRight');
    document.querySelector('header a[href="/spec"]').click();
  });
  await page.waitForURL(/\/spec$/);
  await page.waitForTimeout(400);
  assert.match(page.url(), /\/spec$/, 'nothing is written over the other page');
  await page.goBack();
  await page.locator('.controls').waitFor();
  const words = await shown(page);
  await page.goto('about:blank');
  await page.goto(`${url}/s/seed?at=set_tag.entry@rx%232`);
  await page.locator('.controls').waitFor();
  for (let n = 0; n < 3; n += 1) await page.keyboard.press('ArrowRight');
  assert.equal(await shown(page), words, 'three steps on');
  // And Back forgets what waits to be written.
  await page.waitForTimeout(400);
  await page.locator('header a[href="/spec"]').click();
  await page.goBack();
  await page.locator('.controls').waitFor();
  await page.evaluate(() => {
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true, cancelable: true }));
    history.forward();
  });
  await page.waitForURL(/\/spec$/);
  await page.waitForTimeout(400);
  assert.match(page.url(), /\/spec$/);
  assert.equal(named(page), null);
});

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

/** In the page: all that is seen of a step, in words and places. */
function seen() {
  // What is hidden in a picture has no box, whatever Chromium says of its visibility.
  const there = (one) => one.checkVisibility() && one.getClientRects().length > 0;
  const words = ['.says', '.program', '.fields', '.told-byte', '.way', '.verdicts', '.bytes h2', '.where'];
  const drawn = ['.pl', '.tick', '.zone', '.region', '.read', '.twins text', '.hx', '.written', '.move'];
  const place = (one) => {
    const { x, y, width } = one.getBoundingClientRect();
    return [x, y, width].map(Math.round).join(' ');
  };
  return {
    words: words.flatMap((what) => [...document.querySelectorAll(what)].filter(there).map((one) => `${what}: ${one.innerText}`)),
    on: [...document.querySelectorAll('.program .on, .way [aria-current], .fields .changed, .fields .differs')].filter(there).map((one) => one.innerText),
    drawn: drawn.flatMap((what) => [...document.querySelectorAll(`.ribbon ${what}`)].filter(there)
      .filter((one) => what !== '.hx' || one.textContent !== '').filter((one) => place(one) !== '0 0 0')
      .map((one) => `${what} ${one.getAttribute('class')} “${one.textContent}” ${place(one)}`).sort()),
  };
}

// Nodes stay from step to step and are shown again with other words: none may keep what it said before.
test('a step that one has walked to looks like the same step on a fresh page', { context: { reducedMotion: 'reduce' } }, async ({ page, url }) => {
  const open = async (address) => {
    await page.goto(address);
    await page.locator('.controls').waitFor();
    await page.locator('.ribbon .region').first().waitFor();
    await page.waitForTimeout(400);
  };
  const look = async () => {
    await page.evaluate(() => document.fonts.ready.then(() => {}));
    return page.evaluate(seen);
  };
  for (const [start, strides] of [
    ['/s/seed?at=set_tag.entry@rx%231&z=instructions', [3, 14, 30, 11, -5, 40, 25, 60, -90]],
    ['/s/seed?d=mac_header', [60, 31, 2, 55, -20]],
    ['/s/tap-read?d=meta_end', [9, 8, 7, -3]],
  ]) {
    await open(url + start);
    const walked = [];
    for (const stride of strides) {
      await page.evaluate(walk, [Math.abs(stride), stride > 0 ? 'ArrowRight' : 'ArrowLeft']);
      await page.waitForTimeout(400);
      await page.evaluate(() => window.scrollTo(0, 0));
      walked.push([page.url(), await look()]);
    }
    for (const [address, before] of walked) {
      await page.goto('about:blank');
      await open(address);
      assert.deepEqual(before, await look(), address);
    }
  }
});
