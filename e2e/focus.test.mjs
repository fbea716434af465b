// What has the focus may go when its key is pressed: the focus stays where the reader is.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const READ = 'd=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions';
const named = (page) => page.evaluate(() => {
  const element = document.activeElement;
  return element === document.body ? '' : (element.getAttribute('aria-label') ?? element.textContent).trim().replace(/\s+/g, ' ');
});
const becomes = (page, name) => page.waitForFunction((name) => {
  const element = document.activeElement;
  return element !== document.body && (element.getAttribute('aria-label') ?? element.textContent).trim().replace(/\s+/g, ' ').startsWith(name);
}, name, { timeout: 5000 });

async function press(page, locator, key = 'Enter') {
  // The first key of all brings the script.
  await page.keyboard.press('Shift');
  await page.waitForFunction(() => performance.getEntriesByType('resource').some((one) => one.name.endsWith('/focus.js')));
  await page.waitForTimeout(100);
  await locator.focus();
  await page.keyboard.press(key);
}

for (const address of [`/s/seed?${READ}`, `/compare/seed?${READ}`, '/lab?s=seed']) {
  test(`a design's chip that is pressed by a key keeps the focus: ${address}`, async ({ page, url }) => {
    await page.goto(url + address);
    await page.locator('.ribbon .region').first().waitFor();
    const chip = page.locator('.chips').getByRole('button', { name: 'meta_end' });
    await press(page, chip);
    await page.waitForFunction(() => document.querySelectorAll('.design').length === 1);
    await becomes(page, 'meta_end');
    // And takes it back.
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('.design').length === 2);
  });
}

test('a pointer moves no focus: Space still plays', async ({ page, url }) => {
  await page.goto(`${url}/s/seed?${READ}`);
  await page.locator('.ribbon .region').first().waitFor();
  await page.keyboard.press('Shift');
  await page.locator('.chips').getByRole('button', { name: 'meta_end' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.design').length === 1);
  await page.waitForTimeout(300);
  assert.notEqual(await page.evaluate(() => document.activeElement.matches(':focus-visible') && document.activeElement !== document.body), true);
});

test('in the lab the focus goes to what stands in the place of what is closed or removed', async ({ page, url }) => {
  await page.goto(`${url}/lab?s=seed`);
  await page.locator('.right .answer').first().waitFor();
  await press(page, page.locator('.p-open .tab').last());
  await page.locator('.p-row').first().waitFor();
  await becomes(page, 'Run of a program');
  await press(page, page.locator('.p-close'));
  await becomes(page, 'set_tag on rx');
  await page.getByRole('tab', { name: /Packets/ }).click();
  await press(page, page.getByRole('button', { name: 'make a packet' }));
  await page.getByRole('button', { name: 'Remove payload' }).waitFor();
  await press(page, page.getByRole('button', { name: 'Remove payload' }));
  await becomes(page, 'Add a layer');
  await press(page, page.getByRole('button', { name: 'Remove', exact: true }));
  await page.getByRole('button', { name: 'Remove', exact: true }).waitFor({ state: 'detached' });
  await page.waitForTimeout(200);
  assert.notEqual(await named(page), '');
});
