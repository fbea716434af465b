// Every kind of page as it was accepted, at three widths and in both colour schemes. A picture that is meant to be
// another is accepted anew, and looked at, with
//
//     HEADROOM_ACCEPT=1 node run.mjs accepted
//
// Another Chromium draws letters otherwise, so pictures are compared by the one they were accepted with; every other one
// skips the comparison and says so.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, views } from './lib/harness.mjs';
import { compare, kept } from './lib/picture.mjs';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'accepted');
const accept = Boolean(process.env.HEADROOM_ACCEPT);
const maker = path.join(folder, 'chromium.txt');
/** Squares of 8 × 8 CSS pixels that may differ: what fonts and smoothing of another machine change. */
const MOST = 12;

const root = path.join(folder, '../..');
const RECORDING = path.join(root, 'tests/recordings/E2-gre-veth-full.mac_header.json');
const lab = (page) => page.getByRole('textbox', { name: 'Commands' });
const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
const judged = (page) => page.waitForFunction(() => /^\d+ cells turned/.test(document.querySelector('.turns [role=status]')?.textContent ?? ''), null, { timeout: 200_000 });

/** A capture of two frames. */
function capture() {
  const frame = Buffer.from('020000000001020000000002080045000024222200004001d4b3c0000202c00002010800db85070700016162636465666768', 'hex');
  const record = Buffer.from('00000000000000003200000032000000', 'hex');
  return Buffer.concat([Buffer.from('d4c3b2a102000400000000000000000000000400010000'.padEnd(48, '0'), 'hex'), record, frame, record, frame]);
}

const WORKSHOP = '/matrix?base=mac_header&policy=on_decap%3Dmove_up&q=gre&d=mac_header,meta_end';

/** Address, what must be there, what is done then, and what is scrolled to. */
const PAGES = {
  start: ['/', '#app .ribbon .hx'],
  stepper: ['/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions', '#app .controls'],
  spec: ['/spec', '#app .rule'],
  compare: ['/compare/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions', '#later .differences tbody tr'],
  matrix: ['/matrix?q=gre', '#later .cells tbody tr'],
  lab: ['/lab?s=seed', '#later .right .ribbon svg'],
  'story-end': ['/?stop=open', '#app .ribbon .hx'],
  rule: ['/spec#HR-DECAP-3', '#HR-DECAP-3 .ribbon svg', null, '#HR-DECAP-3'],
  catalogue: ['/s', '#later .catalogue li'],
  'compare-index': ['/compare', '#later .compare-index li'],
  recorded: ['/compare/rec-e2-gre-veth-full?d=mac_header,recording:mac_header&at=get_tag.exit@decap%231', '#later .ribbon .hx'],
  workshop: [WORKSHOP, '#later .cells td.own a', judged],
  'workshop-cells': [WORKSHOP, '#later .cells td.own a', judged, '.turns'],
  designs: ['/designs#meta_end', '#later #meta_end table', null, '#meta_end'],
  program: ['/lab?s=seed&run=get_tag@decap%231&i=6', '#later .program-pane .p-row'],
  packets: ['/lab?s=seed', '#later .right .answer', async (page) => {
    await page.locator('.tools input[type=file]').setInputFiles([file('two.pcap', capture())]);
    await page.getByRole('tab', { name: 'Packets 2' }).click();
    await page.getByRole('button', { name: 'two.pcap 1' }).click();
    await page.getByLabel('As layers').waitFor();
  }],
  opened: ['/open', '#later .open h1', async (page) => {
    await page.locator('.open input[type=file]').setInputFiles([file('E2-gre-veth-full.mac_header.json', readFileSync(RECORDING))]);
    await page.locator('.answer', { hasText: '524288' }).first().click();
    await page.locator('.says', { hasText: '524288' }).waitFor();
  }],
  'wrong-recording': ['/open', '#later .open h1', async (page) => {
    const json = JSON.parse(readFileSync(RECORDING));
    delete json.events[6].skb;
    await page.locator('.open input[type=file]').setInputFiles([file('mine.json', Buffer.from(JSON.stringify(json)))]);
    await page.getByRole('alert').waitFor();
  }],
  'wrong-commands': ['/lab?s=seed', '#later .right .answer', async (page) => {
    await lab(page).fill((await lab(page).inputValue()).replace('ip link set dev rx up', 'ip link set dev rx upwards'));
    await page.locator('.right .problem').waitFor();
    await lab(page).blur();
  }],
  'wrong-program': ['/lab?s=seed', '#later .right .answer', async (page) => {
    await page.getByRole('tab', { name: /Programs/ }).click();
    await page.getByRole('button', { name: 'assembler for TC' }).click();
    await page.getByLabel(/Assembler of/).fill('r0 = 0\nr9 = = 1\nexit');
    await page.locator('.program-file .wavy').first().waitFor();
    await page.getByLabel(/Assembler of/).blur();
  }],
  'wrong-link': ['/lab#1!!!!', '#later .notice'],
  'wrong-address': ['/s/seed?d=wishful&at=nonsense', '#app .controls'],
  nowhere: ['/nowhere', '#app h1'],
  embed: ['/embed?s=seed', '#app .controls'],
  keys: ['/s/seed', '#app .controls', async (page) => {
    await page.locator('h1').click();
    await page.keyboard.press('?');
    await page.locator('dialog#keys[open]').waitFor();
  }],
  words: ['/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions', '#app .controls', async (page) => {
    await page.locator('.says').focus();
    await page.locator('.says .w').first().waitFor();
    await page.keyboard.press('ArrowRight');
  }],
};

async function picture(page) {
  await page.evaluate(() => document.fonts.ready.then(() => {}));
  await page.mouse.move(0, 0);
  // At rest: twice the same.
  let last = null;
  for (let turn = 0; turn < 20; turn += 1) {
    const now = await page.screenshot({ animations: 'disabled', caret: 'hide' });
    if (last?.equals(now)) return now;
    last = now;
    await page.waitForTimeout(100);
  }
  return last;
}

for (const [name, [address, there, act, to]] of Object.entries(PAGES)) {
  test(`${name} looks as it was accepted`, { timeout: 400_000, context: { reducedMotion: 'reduce' } }, async ({ page, url, context, t }) => {
    const version = context.browser().version();
    if (accept) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(maker, `${version}\n`);
    }
    const made = readFileSync(maker, 'utf8').trim();
    if (version !== made) return t.skip(`accepted with Chromium ${made}, this is ${version}`);
    const judge = await context.newPage();
    await page.goto(url + address);
    await page.locator(there).first().waitFor();
    await act?.(page);
    const wrong = [];
    for (const { width, height, scheme } of views) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      if (to) await page.evaluate((to) => document.querySelector(to).scrollIntoView(), to);
      const file = path.join(folder, `${name}-${width}-${scheme}.webp`);
      const now = await picture(page);
      if (accept) {
        writeFileSync(file, await kept(judge, now));
      }
      assert.ok(existsSync(file), `${file} is missing: HEADROOM_ACCEPT=1 makes it`);
      const found = await compare(judge, readFileSync(file), now);
      if (found.size || found.count > MOST) {
        wrong.push(`${name} ${width} ${scheme}: ${JSON.stringify(found)}`);
        mkdirSync(path.join(folder, '../shots'), { recursive: true });
        writeFileSync(path.join(folder, `../shots/accepted-${name}-${width}-${scheme}.png`), now);
      }
    }
    assert.deepEqual(wrong, [], 'the pictures as they are now are in e2e/shots/accepted-*.png');
  });
}

test('a pointer that stands elsewhere is found', { context: { reducedMotion: 'reduce' } }, async ({ page, url, context }) => {
  const judge = await context.newPage();
  const [address, there] = PAGES.stepper;
  await page.goto(url + address);
  await page.locator(there).first().waitFor();
  const before = await kept(judge, await picture(page));
  const same = await compare(judge, before, await picture(page));
  assert.ok(same.count <= 3, `at rest it is the same, but for what the kept picture leaves out: ${JSON.stringify(same)}`);
  // The arrows and the label of data_meta, 28 pixels to the left: two bytes.
  await page.evaluate(() => {
    for (const one of document.querySelectorAll('.design .pl, .design .tick')) {
      if (/290 data_meta/.test(one.textContent) || one.classList.contains('tick')) one.style.translate = '-28px 0';
    }
  });
  const moved = await compare(judge, before, await picture(page));
  assert.ok(moved.count > MOST, JSON.stringify(moved));
});
