// Finding in a run: writes, changes, reads; playing stops there.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const where = (page) => page.locator('.where code').innerText();

async function open(page, address) {
  await page.goto(address);
  await page.locator('.controls').waitFor();
}

async function ask(page, words) {
  await page.keyboard.press('/');
  await page.keyboard.press('Control+a');
  await page.keyboard.type(words);
}

test('the first wrong read of the seed experiment is found, and it is the only one', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=eth_type_trans.exit@rx%231`);
  await ask(page, 'first wrong read');
  await page.keyboard.press('Enter');
  assert.equal(await where(page), 'get_tag on decap, exit');
  assert.equal(await page.locator('.finder .count').innerText(), '1 of 1');
  assert.match(await page.locator('.says').innerText(), /524288/);
});

test('the next change of mac_header is where the tunnel sets it to 294', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=__iptunnel_pull_header.exit@rx%232`);
  await ask(page, 'next change of mac_header');
  await page.keyboard.press('Enter');
  const changed = page.locator('.fields tr', { hasText: 'mac_header' }).locator('td');
  assert.match(await changed.innerText(), /256 → 294/);
});

test('n goes on, N goes back; a text that is no query is refused with a sentence', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=eth_type_trans.exit@rx%231`);
  await ask(page, 'set_tag');
  await page.keyboard.press('Enter');
  const first = await where(page);
  assert.match(first, /^set_tag on rx, entry/);
  // Enter leaves the field, so that letters are keys; what was typed stays.
  await page.keyboard.press('n');
  assert.equal(await page.locator('.finder input').inputValue(), 'set_tag');
  const second = page.url();
  await page.keyboard.press('N');
  assert.equal(await where(page), first);
  assert.notEqual(page.url(), second);
  await ask(page, 'write to byte x');
  assert.match(await page.locator('.finder .count').innerText(), /“x” is none/);
  assert.equal(await page.locator('.finder input').getAttribute('aria-invalid'), 'true');
});

test('Escape leaves the field as well, and what was typed stays', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=eth_type_trans.exit@rx%231`);
  await ask(page, 'set_tag');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'INPUT');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY');
  await page.keyboard.press('n');
  assert.match(await where(page), /^set_tag on rx/);
  assert.equal(await page.locator('.finder input').inputValue(), 'set_tag');
});

test('playing stops where something is found', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=get_tag.entry@decap%231`);
  await ask(page, 'wrong read');
  await page.locator('.ctl.speed').click();
  await page.locator('.ctl.speed').click();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor({ timeout: 15_000 });
  await page.waitForFunction(() => document.querySelector('.where code')?.textContent === 'get_tag on decap, exit');
  await page.waitForTimeout(600);
  assert.equal(await where(page), 'get_tag on decap, exit');
});
