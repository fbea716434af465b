// `/s`: the list of scenarios, its search and its links.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const line = (page, title) => page.locator('.catalogue li', { hasText: title });

test('a line says what became of the metadata, and leads to the step', async ({ page, url }) => {
  await page.goto(`${url}/s`);
  // The seed mail's own numbers.
  const seed = line(page, 'A tag of 42 that reads 524288');
  assert.match(await seed.locator('.came').innerText(), /mac_header\s*✗ 524288 garbage\s*meta_end\s*✓ 42 ok/);
  await seed.locator('.came a').first().click();
  await page.waitForURL(/\/s\/seed\?d=mac_header&at=/);
  // GRE's receive function, where the pointer moves: 14 + 20 + 4 bytes.
  await page.locator('main', { hasText: 'mac_header 256 → 294' }).waitFor();
});

test('words and tags choose, and stand in the address', async ({ page, url }) => {
  await page.goto(`${url}/s`);
  await page.locator('.catalogue li').first().waitFor();
  const all = await page.locator('.catalogue li').count();
  await page.getByLabel('Find').fill('vxlan');
  await page.waitForURL(/\/s\?q=vxlan$/);
  const few = await page.locator('.catalogue li').count();
  assert.ok(few > 0 && few < all, `${few} of ${all}`);
  assert.match(await page.locator('.count').innerText(), new RegExp(`^${few} of ${all}$`));
  await page.getByRole('button', { name: 'decap', exact: true }).click();
  await page.waitForURL(/\/s\?q=vxlan&tag=decap$/);
  const fewer = await page.locator('.catalogue li').count();
  await page.reload();
  await page.locator('.catalogue li').first().waitFor();
  assert.equal(await page.locator('.catalogue li').count(), fewer);
  assert.equal(await page.getByLabel('Find').inputValue(), 'vxlan');
  await page.getByLabel('Find').fill('no such words');
  await page.getByText('No scenario is like that').waitFor();
});
