import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

test('the start page opens and has a title', async ({ page, url }) => {
  const response = await page.goto(`${url}/`);
  assert.equal(response?.status(), 200);
  assert.match(await page.title(), /Headroom/);
});
