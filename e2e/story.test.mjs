// The story on the start page: text and picture move together.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const title = (page) => page.locator('.told h2').innerText();

async function open(page, address) {
  await page.goto(address);
  await page.locator('.told h2').waitFor();
  await page.locator('.ribbon .hx').first().waitFor();
}

test('the problem is there at once, and one key sets it going', async ({ page, url, shots }) => {
  await open(page, `${url}/`);
  assert.equal(await title(page), '42 went in, 524288 came out');
  assert.match(await page.locator('.verdicts').first().innerText(), /reads 00 00 08 00 = 524288/);
  await shots('story-problem');
  await page.keyboard.press('ArrowRight');
  assert.match(await title(page), /Headroom is the free space/);
  assert.match(page.url(), /\?stop=headroom$/);
});

test('twelve stops, each with a step of its own picture and a link', async ({ page, url, shots }) => {
  await open(page, `${url}/`);
  const seen = [];
  for (let stop = 1; stop <= 12; stop += 1) {
    seen.push(await title(page));
    // The stops on clones and encapsulation are drawn from scenarios of their own.
    const scenario = { 10: 'tap-gre', 11: 'encap-gre' }[stop] ?? 'seed';
    await page.waitForFunction((start) => [...document.querySelectorAll('.turn a')].some((a) => a.getAttribute('href').startsWith(start)), `/s/${scenario}?d=`);
    const link = await page.getByRole('link', { name: 'This step, byte by byte' }).getAttribute('href');
    assert.match(link ?? '', /at=/);
    if (stop === 10) assert.match(await page.locator('.verdicts').innerText(), /reads 2a 00 00 00 = 42/);
    if (stop === 10) assert.match(await page.locator('.twins text').textContent(), /^packet 3 /);
    if (stop === 11) assert.equal(await page.locator('.verdict.bad').count(), 2, 'neither design keeps the tag');
    const says = await page.locator('.says').innerText();
    assert.ok(says.length > 20, `stop ${stop} says something`);
    if (stop === 4) assert.match(await page.locator('.verdicts').innerText(), /reads 2a 00 00 00 = 42/);
    if (stop === 6) await shots('story-reset');
    await page.keyboard.press('ArrowRight');
  }
  assert.equal(new Set(seen).size, 12);
  // The end is the end.
  assert.equal(await title(page), seen[11]);
  await shots('story-end');
  await page.keyboard.press('Home');
  assert.equal(await title(page), seen[0]);
});

test('a stop has an address, and the picture is that of its words', async ({ page, url }) => {
  await open(page, `${url}/?stop=garbage`);
  assert.match(await title(page), /piece of the GRE header/);
  assert.match(await page.locator('.says').innerText(), /get_tag on decap read 524288/);
  assert.equal(await page.locator('.design').count(), 1);
  await page.goto(`${url}/?stop=realign`);
  await page.locator('.told h2').waitFor();
  assert.match(await page.locator('.verdicts').first().innerText(), /2a 00 00 00 = 42/);
  await page.goto(`${url}/?stop=nowhere`);
  await page.locator('.told h2').waitFor();
  assert.equal(await title(page), '42 went in, 524288 came out');
});

test('the sheet of keys opens on the start page, among the rules and on a slide', async ({ page, url }) => {
  for (const [address, there] of [['/', '.told h2'], ['/spec', '.rule'], ['/embed?s=seed', '.controls']]) {
    await page.goto(url + address);
    await page.locator(`#app ${there}`).first().waitFor();
    await page.keyboard.press('?');
    await page.locator('dialog#keys[open]').waitFor();
    assert.match(await page.locator('dialog#keys').innerText(), /next step/);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('dialog#keys[open]').count(), 0);
  }
});

test('doors lead to catalogue, compare, lab and rules', async ({ page, url }) => {
  await open(page, `${url}/`);
  const doors = await page.locator('.doors a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  assert.deepEqual(doors, ['/s', '/compare', '/lab', '/spec']);
});

test('the palette goes anywhere by a few letters', async ({ page, url, shots }) => {
  await open(page, `${url}/`);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await page.keyboard.type('scen seed dyn');
  assert.deepEqual(await page.locator('.palette li').allInnerTexts(), ['scenario seed-dynptr']);
  await shots('palette');
  await page.keyboard.press('Enter');
  await page.locator('.controls').waitFor();
  assert.equal(new URL(page.url()).pathname, '/s/seed-dynptr');
  await page.getByRole('button', { name: /Find/ }).click();
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.palette[open]').count(), 0);
});

test('after the first visit a scenario is there without a network', async ({ page, url, context }) => {
  await open(page, `${url}/`);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await context.setOffline(true);
  await page.goto(`${url}/s/seed-dynptr`);
  await page.locator('.ribbon .hx').first().waitFor();
  await context.setOffline(false);
});
