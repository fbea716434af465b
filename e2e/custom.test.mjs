// The design that the reader makes, beside others in Compare and in the lab.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const point = (page, name) => page.locator('.point', { has: page.getByText(name, { exact: true }) }).locator('select');
const answer = (page, text) => page.locator('.answers .got', { hasText: text });

test('in Compare: a column of its own, its points beside it, the address holds them, Back takes one back', async ({ page, url, shots }) => {
  await page.goto(`${url}/compare/seed?d=mac_header`);
  await page.locator('.ribbon .hx').first().waitFor();
  await page.getByLabel('Show another design').selectOption('custom');
  await page.waitForFunction(() => document.querySelectorAll('.design').length === 2);
  // As Linux 7.2 in every point: nothing differs from mac_header.
  await page.locator('.diffbar p', { hasText: /^Nothing differs in \d+ steps\.$/ }).waitFor();
  await point(page, 'on_decap').selectOption('move_up');
  await answer(page, '42').last().waitFor();
  await page.locator('.diffbar p', { hasText: /^\d+ of \d+ steps differ\.$/ }).waitFor();
  assert.match(decodeURIComponent(page.url()), /d=mac_header,custom&policy=on_decap=move_up/);
  await shots('compare-custom');
  // Points that contradict each other: the sentence of the core, and the column stays.
  await point(page, 'prologue').selectOption('realign');
  await page.getByRole('alert').filter({ hasText: 'realign needs end=field' }).waitFor();
  assert.match(decodeURIComponent(page.url()), /policy=on_decap=move_up(&|$)/);
  assert.match(await page.locator('.own-design a', { hasText: 'In the matrix' }).getAttribute('href'), /^\/matrix\?policy=on_decap%3Dmove_up&base=/);
  await page.goBack();
  await page.locator('.diffbar p', { hasText: /^Nothing differs/ }).waitFor();
  assert.equal(await point(page, 'on_decap').inputValue(), 'keep');
  await page.goForward();
  await page.locator('.diffbar p', { hasText: /differ\.$/ }).waitFor();
  await page.reload();
  await page.locator('.diffbar p', { hasText: /differ\.$/ }).waitFor();
  assert.equal(await point(page, 'on_decap').inputValue(), 'move_up');
});

test('in the lab: on work of the reader’s own, and in its link', async ({ page, url, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(`${url}/lab?s=seed`);
  const commands = page.getByRole('textbox', { name: 'Commands' });
  await commands.waitFor();
  await commands.fill((await commands.inputValue()).replaceAll('192.0.2.', '198.51.100.'));
  await page.getByLabel('Show another design').selectOption('custom');
  await point(page, 'on_decap').selectOption('move_up');
  const last = page.locator('.answer', { hasText: 'get_tag on decap' });
  await last.locator('.got', { hasText: 'custom' }).filter({ hasText: '42' }).waitFor();
  await last.locator('.got', { hasText: 'mac_header' }).filter({ hasText: '524288' }).waitFor();
  await page.waitForURL(/policy=on_decap%3Dmove_up/);
  await page.locator('.tools').getByRole('button', { name: 'Copy link' }).click();
  await page.locator('.notice').waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(decodeURIComponent(link), /\/lab\?d=mac_header,meta_end,custom&policy=on_decap=move_up(&at=[^#]*#\d+&z=functions)?#1/);
  const other = await context.newPage();
  await other.goto(link);
  await other.locator('.answer', { hasText: 'get_tag on decap' }).locator('.got', { hasText: 'custom' }).filter({ hasText: '42' }).waitFor();
  assert.match(await other.getByRole('textbox', { name: 'Commands' }).inputValue(), /198\.51\.100\.1/);
});
