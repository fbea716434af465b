// The start page and the stepper's keys in Firefox. Where there is none, this says so and is skipped.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { firefox } from 'playwright-core';
import { serve } from './lib/server.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const site = process.env.HEADROOM_SITE ?? path.join(here, '../dist');
const places = [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'];
const executablePath = places.find((place) => place && existsSync(place));
const skip = executablePath ? false : 'no Firefox here (Debian: apt-get install firefox-esr, or set FIREFOX to one)';
const patience = Number(process.env.HEADROOM_PATIENCE) || 1;

test('the story and the stepper work in Firefox', { skip, timeout: 240_000 * patience }, async () => {
  const server = await serve(site);
  // Debian's own Firefox, by WebDriver BiDi.
  const browser = await firefox.launch({ channel: 'moz-firefox', executablePath, timeout: 120_000 * patience });
  try {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    page.setDefaultTimeout(30_000 * patience);
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()); });
    await page.goto(`${server.url}/`);
    await page.locator('#app .ribbon .hx').first().waitFor();
    assert.equal(await page.locator('.told h2').innerText(), '42 went in, 524288 came out');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/\?stop=headroom$/);
    await page.goto(`${server.url}/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions`);
    await page.locator('#app .controls').waitFor();
    const words = () => page.locator('.says').innerText();
    assert.match(await words(), /get_tag on decap read 524288/);
    const number = async () => Number((await page.locator('.where .n').innerText()).split('/')[0]);
    const at = await number();
    await page.keyboard.press('ArrowLeft');
    assert.equal(await number(), at - 1);
    await page.keyboard.press('ArrowRight');
    assert.equal(await number(), at);
    await page.keyboard.press('Home');
    assert.equal(await number(), 1);
    await page.keyboard.press('.');
    assert.match(await words(), /read 524288/);
    await page.keyboard.press('?');
    await page.locator('dialog.sheet[open]').waitFor();
    assert.deepEqual(wrong, []);
  } finally {
    await browser.close();
    await server.close();
  }
});

test('compare, matrix, lab and program pane work in Firefox', { skip, timeout: 240_000 * patience }, async () => {
  const server = await serve(site);
  const browser = await firefox.launch({ channel: 'moz-firefox', executablePath, timeout: 120_000 * patience });
  try {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    page.setDefaultTimeout(60_000 * patience);
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()); });
    await page.goto(`${server.url}/compare/seed?d=mac_header,meta_end,skb_ext,traits&at=get_tag.exit@decap%231&z=functions`);
    await page.locator('.differences tbody tr').first().waitFor();
    assert.match(await page.locator('.differences tbody tr').first().innerText(), /524288, garbage\s+42, ok/);
    assert.equal(await page.locator('.design .region').first().isVisible(), true);
    await page.goto(`${server.url}/matrix?q=gre`);
    await page.locator('.cells tbody tr').first().waitFor();
    assert.match(await page.locator('.cells tbody tr').first().innerText(), /garbage/);
    await page.goto(`${server.url}/lab?s=seed&run=get_tag@decap%231&i=6`);
    await page.locator('.program-pane .p-row').first().waitFor();
    await page.waitForFunction(() => /Reads 4 bytes at meta/.test(document.querySelector('.p-did')?.textContent ?? ''));
    await page.locator('.p-list').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => !/Reads 4 bytes at meta/.test(document.querySelector('.p-did').textContent));
    const commands = page.getByRole('textbox', { name: 'Commands' });
    await commands.fill((await commands.inputValue()).replace('ip link set dev rx up', 'ip link set dev rx upwards'));
    await page.locator('.right .problem').waitFor();
    assert.deepEqual(wrong, []);
  } finally {
    await browser.close();
    await server.close();
  }
});
