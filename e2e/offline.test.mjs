// After the first visit nothing is needed of the network: the lab works, its simulator included.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

test('the lab simulates without a network, although only the start page was visited', async ({ page, url, context }) => {
  await page.goto(`${url}/`);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await context.setOffline(true);
  await page.goto(`${url}/lab`);
  const commands = page.getByRole('textbox', { name: 'Commands' });
  await commands.waitFor();
  await commands.fill((await commands.inputValue()).replaceAll('192.0.2.', '198.51.100.'));
  await page.locator('.right .answer', { hasText: '524288' }).first().waitFor();
  assert.match(await page.locator('.topology figcaption').innerText(), /way: encap/);
  // The matrix and the workshop, whose jobs are a file of their own.
  await page.goto(`${url}/matrix?base=mac_header&policy=on_decap%3Dmove_up&q=seed`);
  await page.locator('.cells td.own', { hasText: '42 ok' }).first().waitFor();
  // What a kernel did, beside the simulator.
  await page.goto(`${url}/compare/rec-e2-gre-veth-full?d=mac_header,recording:mac_header`);
  await page.locator('.diffbar p', { hasText: /^Nothing differs in \d+ steps\.$/ }).waitFor();
  await context.setOffline(false);
});
