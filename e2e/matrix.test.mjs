// Scenarios × designs.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

async function open(page, address) {
  await page.goto(address);
  await page.locator('.cells tbody tr').first().waitFor();
}

test('each cell says what became of the metadata and leads to the step that decided', async ({ page, url, shots }) => {
  await open(page, `${url}/matrix`);
  const row = page.locator('.cells tbody tr', { has: page.locator('a[href="/s/seed"]') });
  const cells = await row.locator('td').allInnerTexts();
  assert.match(cells[0], /✗ 524288 garbage/);
  assert.match(cells[1], /✓ 42 ok/);
  await shots('matrix');
  await row.locator('td a').first().click();
  await page.locator('.controls').waitFor();
  assert.match(page.url(), /\/s\/seed\?d=mac_header&at=/);
  assert.equal(await page.locator('.notice').count(), 0, await page.locator('.notice').allInnerTexts());
  await page.goBack();
  await page.locator('.cells tbody tr').first().waitFor();
});

test('the view is in the address', async ({ page, url }) => {
  await open(page, `${url}/matrix`);
  const all = await page.locator('.cells tbody tr').count();
  await page.getByLabel('Find').fill('dynptr');
  await page.waitForURL(/q=dynptr/);
  const shown = await page.locator('.cells tbody tr').count();
  assert.ok(shown >= 1 && shown < all, `${shown} of ${all}`);
  await page.reload();
  await page.locator('.cells tbody tr').first().waitFor();
  assert.equal(await page.locator('.cells tbody tr').count(), shown);
  await page.getByLabel('Find').fill('no such scenario');
  await page.getByText('No scenario is like that').waitFor();
});
