// Start, stepper, rules, compare, matrix and lab as they were accepted, at three widths and in both colour schemes. A picture that is meant to be
// another is accepted anew, and looked at, with
//
//     HEADROOM_ACCEPT=1 node run.mjs accepted
//
// Another Chromium draws letters otherwise, so pictures are compared by the one they were accepted with; every other one
// skips the comparison and says so.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, views } from './lib/harness.mjs';
import { compare, kept } from './lib/picture.mjs';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'accepted');
const accept = Boolean(process.env.HEADROOM_ACCEPT);
const maker = path.join(folder, 'chromium.txt');
/** Squares of 8 × 8 CSS pixels that may differ: what fonts and smoothing of another machine change. */
const MOST = 12;

const PAGES = {
  start: ['/', '#app .ribbon .b'],
  stepper: ['/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions', '#app .controls'],
  spec: ['/spec', '#app .rule'],
  compare: ['/compare/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions', '#later .differences tbody tr'],
  matrix: ['/matrix?q=gre', '#later .cells tbody tr'],
  lab: ['/lab?s=seed', '#later .right .ribbon .b'],
};

async function picture(page) {
  await page.evaluate(() => document.fonts.ready.then(() => {}));
  await page.mouse.move(0, 0);
  // At rest: twice the same.
  let last = null;
  for (let turn = 0; turn < 20; turn += 1) {
    const now = await page.screenshot({ animations: 'disabled', caret: 'hide' });
    if (last?.equals(now)) return now;
    last = now;
    await page.waitForTimeout(100);
  }
  return last;
}

for (const [name, [address, there]] of Object.entries(PAGES)) {
  test(`${name} looks as it was accepted`, { context: { reducedMotion: 'reduce' } }, async ({ page, url, context, t }) => {
    const version = context.browser().version();
    if (accept) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(maker, `${version}\n`);
    }
    const made = readFileSync(maker, 'utf8').trim();
    if (version !== made) return t.skip(`accepted with Chromium ${made}, this is ${version}`);
    const judge = await context.newPage();
    await page.goto(url + address);
    await page.locator(there).first().waitFor();
    const wrong = [];
    for (const { width, height, scheme } of views) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      const file = path.join(folder, `${name}-${width}-${scheme}.webp`);
      const now = await picture(page);
      if (accept) {
        writeFileSync(file, await kept(judge, now));
      }
      assert.ok(existsSync(file), `${file} is missing: HEADROOM_ACCEPT=1 makes it`);
      const found = await compare(judge, readFileSync(file), now);
      if (found.size || found.count > MOST) {
        wrong.push(`${name} ${width} ${scheme}: ${JSON.stringify(found)}`);
        mkdirSync(path.join(folder, '../shots'), { recursive: true });
        writeFileSync(path.join(folder, `../shots/accepted-${name}-${width}-${scheme}.png`), now);
      }
    }
    assert.deepEqual(wrong, [], 'the pictures as they are now are in e2e/shots/accepted-*.png');
  });
}

test('a pointer that stands elsewhere is found', { context: { reducedMotion: 'reduce' } }, async ({ page, url, context }) => {
  const judge = await context.newPage();
  const [address, there] = PAGES.stepper;
  await page.goto(url + address);
  await page.locator(there).first().waitFor();
  const before = await kept(judge, await picture(page));
  const same = await compare(judge, before, await picture(page));
  assert.ok(same.count <= 3, `at rest it is the same, but for what the kept picture leaves out: ${JSON.stringify(same)}`);
  // The arrows and the label of data_meta, 28 pixels to the left: two bytes.
  await page.evaluate(() => {
    for (const one of document.querySelectorAll('.design .pl, .design .tick')) {
      if (/290 data_meta/.test(one.textContent) || one.classList.contains('tick')) one.style.translate = '-28px 0';
    }
  });
  const moved = await compare(judge, before, await picture(page));
  assert.ok(moved.count > MOST, JSON.stringify(moved));
});
