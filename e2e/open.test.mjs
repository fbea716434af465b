import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

test('the start page opens, with a title and an icon', async ({ page, url }) => {
  const response = await page.goto(`${url}/`);
  assert.equal(response?.status(), 200);
  assert.match(await page.title(), /Headroom/);
  // Otherwise the browser asks for /favicon.ico, now and then, and logs an error when there is none.
  assert.ok(await page.locator('link[rel~="icon"]').count(), 'index.html names no icon');
});
