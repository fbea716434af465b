// Pages on paper: in light colours, whole, without what can only be pressed.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const LIGHT = 'rgb(251, 250, 247)';

test('on paper the colours are light, tables are whole and buttons are gone', { context: { colorScheme: 'dark' } }, async ({ page, url }) => {
  await page.goto(`${url}/matrix?d=mac_header,meta_end`);
  await page.locator('.cells tbody tr').first().waitFor();
  await page.evaluate(() => { document.documentElement.dataset.theme = 'dark'; });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.notEqual(await ground(), LIGHT);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await ground(), LIGHT);
  assert.ok(await page.locator('.top').isHidden() && await page.locator('.takes').isHidden() && await page.locator('.matrix-controls').isHidden());
  const scrolled = await page.locator('.matrix .scroll').evaluate((box) => [box.scrollHeight, box.clientHeight]);
  assert.equal(scrolled[0], scrolled[1]);
  await page.emulateMedia({ media: null });
  await page.goto(`${url}/lab?s=seed`);
  await page.locator('.right .answer').first().waitFor();
  await page.emulateMedia({ media: 'print' });
  assert.ok(await page.locator('.commands .editor').isVisible());
  const cut = await page.locator('.editor').first().evaluate((box) => [box.scrollHeight, box.clientHeight]);
  assert.ok(cut[0] <= cut[1] + 1, cut.join(' of '));
  assert.ok(await page.locator('.controls').isHidden() && await page.locator('.lab .tabs').first().isHidden());
  assert.ok(await page.locator('.design .ribbon svg').first().isVisible());
  assert.ok((await page.pdf()).length > 20_000);
  // Fourteen columns on a sheet that lies on its side (A4 less its margins): nothing stands over its neighbour.
  await page.emulateMedia({ media: null });
  await page.setViewportSize({ width: 1054, height: 720 });
  await page.goto(`${url}/matrix`);
  await page.locator('.cells tbody tr').first().waitFor();
  await page.emulateMedia({ media: 'print' });
  const over = await page.locator('.cells tbody td').evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.innerText));
  assert.deepEqual(over, []);
});
