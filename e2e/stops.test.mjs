// What the seed's issue asks by name: searches, stops of every kind while it plays, and how fast it plays.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const where = (page) => page.locator('.where code').innerText();
const row = async (page) => Number((await page.locator('.where .n').innerText()).split('/')[0].replaceAll(/\D/g, ''));
const field = (page) => page.getByLabel('Find in the run');

async function open(page, address) {
  await page.goto(address);
  await page.locator('.controls').waitFor();
  await page.locator('.ribbon svg .hx:not(:empty)').first().waitFor();
}

/** Plays at five times until it rests; gives where. */
async function played(page) {
  const speed = page.locator('.ctl.speed');
  while ((await speed.innerText()) !== '5×') await speed.click();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor({ timeout: 60_000 });
  const at = await row(page);
  await page.waitForTimeout(500);
  assert.equal(await row(page), at, 'it rests');
  return where(page);
}

test('the next write to byte 252 is set_tag’s, which writes 2a there', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=bpf_xdp_adjust_meta.exit@rx%231&z=functions`);
  await field(page).fill('next write to byte 252');
  await page.keyboard.press('Enter');
  assert.equal(await where(page), 'set_tag on rx, exit');
  await page.locator('h1').click();
  await page.keyboard.press('x');
  const rows = await page.locator('.changes tbody tr').evaluateAll((all) => all.map((one) => [...one.children].map((cell) => cell.textContent.trim())));
  assert.deepEqual(rows.filter(([what]) => what === '252'), [['252', '00', '2a']]);
});

test('it plays to a function, a pointer’s change, a byte’s write and an instruction, and rests there', { timeout: 240_000 }, async ({ page, url }) => {
  // A function: by `b`, at a step of it; then from a little before its next call.
  await open(page, `${url}/s/seed?d=mac_header&at=__iptunnel_pull_header.entry@rx%231&z=functions`);
  await page.locator('h1').click();
  await page.keyboard.press('b');
  assert.equal(await field(page).inputValue(), '__iptunnel_pull_header');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await played(page), '__iptunnel_pull_header on rx, entry');
  // A pointer: by its name in the table of fields.
  await page.locator('.fields').getByRole('button', { name: 'mac_header' }).click();
  const before = await row(page);
  await page.locator('h1').click();
  await played(page);
  assert.ok((await row(page)) > before);
  assert.match(await page.locator('.fields tr', { hasText: 'mac_header' }).locator('td').innerText(), /\d+ → \d+/);
  // A byte: by `b`, when it is chosen.
  await open(page, `${url}/s/seed?d=mac_header&at=bpf_xdp_adjust_meta.exit@rx%231&z=functions`);
  await page.locator('[data-offset="252"]').click();
  await page.locator('h1').click();
  await page.keyboard.press('b');
  assert.equal(await field(page).inputValue(), 'write to byte 252');
  assert.equal(await played(page), 'set_tag on rx, exit');
  // An instruction: by a click on it.
  await open(page, `${url}/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=instructions`);
  const line = page.locator('.code:visible li', { hasText: '*(u32 *)' }).locator('button');
  const number = await line.innerText();
  await line.click();
  await page.locator('h1').click();
  for (let n = 0; n < 9; n += 1) await page.keyboard.press('ArrowLeft');
  assert.equal(await played(page), `get_tag on decap, instruction ${number}`);
});

test('a speed is a speed: at 5× it comes further than at ½× in the same time', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header`);
  const speed = page.locator('.ctl.speed');
  const far = async (wanted) => {
    while ((await speed.innerText()) !== wanted) await speed.click();
    await page.locator('h1').click();
    await page.keyboard.press('Home');
    await page.keyboard.press(' ');
    await page.waitForTimeout(3000);
    await page.keyboard.press(' ');
    return (await row(page)) - 1;
  };
  const [slow, fast] = [await far('½×'), await far('5×')];
  assert.ok(slow >= 1 && fast >= 4 * slow, `${slow} and ${fast} steps`);
});

test('Shift and an arrow go to the next change of the chosen byte; c goes to the same step in Compare and to the kernel’s', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header,meta_end&at=bpf_xdp_adjust_meta.exit@rx%231&z=functions`);
  await page.locator('[data-offset="252"]').click();
  await page.locator('h1').click();
  await page.keyboard.press('Shift+ArrowRight');
  await page.waitForFunction(() => document.querySelector('.where code').textContent === 'set_tag on rx, exit');
  const first = page.url();
  await page.keyboard.press('Shift+ArrowRight');
  await page.waitForFunction((first) => location.href !== first, first);
  await page.keyboard.press('Shift+ArrowLeft');
  await page.waitForFunction(() => document.querySelector('.where code').textContent === 'set_tag on rx, exit');
  await page.keyboard.press('c');
  await page.waitForURL(/\/compare\/seed\?.*at=set_tag\.exit@rx%231/);
  await page.locator('.diffbar').waitFor();
  await page.keyboard.press('c');
  await page.waitForURL(/\/compare\/rec-e2-gre-veth-full\?/);
});

test('the chosen byte and the design in front are in the address, and come back with it', async ({ page, url }) => {
  const told = () => page.locator('.told-byte h3').innerText();
  const front = () => page.locator('.bytes h2 [aria-pressed="true"]').first().innerText();
  const start = `${url}/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions`;
  await open(page, start);
  assert.equal(await front(), 'mac_header');
  await page.locator('.bytes h2').getByRole('button', { name: 'meta_end' }).click();
  await page.locator('[data-offset="253"]').click();
  await page.waitForURL((now) => now.searchParams.get('front') === 'meta_end' && now.searchParams.get('byte') === '253');
  const [address, words] = [page.url(), await told()];
  assert.match(words, /byte 253, value 0x00/);
  // By keyboard, too.
  await page.keyboard.press('ArrowLeft');
  await page.waitForURL((now) => now.searchParams.get('byte') === '252');
  assert.match(await told(), /byte 252, value 0x2a/);
  // To point at another is no choice.
  await page.locator('[data-offset="300"]').hover();
  await page.waitForTimeout(400);
  assert.equal(new URL(page.url()).searchParams.get('byte'), '252');
  await page.goto('about:blank');
  await open(page, address);
  assert.deepEqual([await front(), await told()], ['meta_end', words]);
  assert.equal(await page.locator('[data-offset="253"]').getAttribute('aria-selected'), 'true');
  // It stays with the steps, and the picture chooses in the design that one clicks on.
  await page.locator('h1').click();
  await page.keyboard.press('ArrowLeft');
  await page.waitForURL((now) => now.searchParams.get('at') !== 'get_tag.exit@decap#1');
  assert.equal(new URL(page.url()).searchParams.get('byte'), '253');
  await page.locator('.design').first().locator('.hit').click({ position: { x: 5, y: 10 } });
  await page.waitForURL((now) => !now.searchParams.has('front') && now.searchParams.get('byte') !== '253');
  assert.equal(await front(), 'mac_header');
});
