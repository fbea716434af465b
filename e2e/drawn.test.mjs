// How the stepper draws what ux asks for: motion, lanes and drops, values that are not set, hexadecimal under the pointer.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

async function open(page, address) {
  await page.goto(address);
  await page.locator('#app .controls').waitFor();
  await page.locator('.ribbon svg .hx:not(:empty)').first().waitFor({ state: 'attached' });
}

const moving = (page) => page.evaluate(() => ['.tick', '.pl', '.zone'].map((what) => parseFloat(getComputedStyle(document.querySelector(`.design ${what}`)).transitionDuration)));

test('pointers move for 120 to 180 ms, and jump where motion is reduced', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header`);
  for (const seconds of await moving(page)) assert.ok(seconds >= 0.12 && seconds <= 0.18, `${seconds} s`);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  assert.deepEqual(await moving(page), [0, 0, 0]);
});

test('the timeline has a lane for each device of a namespace and one for programs, and marks reads, writes, moves and drops', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=meta_end&at=get_tag.exit@decap%231&z=functions`);
  // The devices of the seed mail's commands, in the order in which the packet comes to them.
  const lanes = await page.locator('.timeline .lane .ll').allInnerTexts();
  for (const name of ['tx/encap', 'tx/tx', 'rx', 'decap', 'programs']) assert.ok(lanes.some((text) => text.trim().startsWith(name)), `${name} in ${lanes}`);
  for (const kind of ['.w', '.m', '.ok']) assert.ok(await page.locator(`.timeline .marks ${kind}[d]:not([d=""])`).count() > 0, kind);
  await open(page, `${url}/s/netfilter-drop?d=mac_header`);
  assert.ok(await page.locator('.timeline .marks .x[d]:not([d=""])').count() > 0, 'the packet that netfilter drops');
});

test('a pointer that is not set is said so; offsets are decimal, and hexadecimal under the pointer', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header`);
  await page.locator('h1').click();
  await page.keyboard.press('Home');
  const row = (name) => page.locator('.fields tbody tr', { has: page.getByRole('button', { name, exact: true }) });
  assert.match(await row('mac_header').innerText(), /not set$/);
  assert.doesNotMatch(await page.locator('.fields').innerText(), /65535/);
  await open(page, `${url}/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=functions`);
  const header = row('mac_header');
  await header.hover();
  await page.locator('.pl.lit').waitFor();
  // 294 is 0x126, 290 0x122.
  assert.equal(await header.locator('b').getAttribute('title'), '0x126');
  await page.locator('.says .say').first().hover();
  const place = page.locator('.says .w', { hasText: '290–293' });
  await place.hover();
  assert.equal(await place.getAttribute('title'), '0x122–0x125');
});
