// Nothing that a reader has typed or chosen is lost: leaving, reloading, undo, old links, files for another page.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { test } from './lib/harness.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const commands = (page) => page.getByRole('textbox', { name: 'Commands' });

async function open(page, address) {
  await page.goto(address);
  await commands(page).waitFor();
  await page.locator('.right .answer').first().waitFor();
}

const files = (page, all) =>
  page.locator('.tools input[type=file]').setInputFiles(all.map(([name, buffer]) => ({ name, mimeType: 'application/octet-stream', buffer })));

test('what was typed a moment before is there after another page and after a reload', async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  const whole = await commands(page).inputValue();
  await commands(page).fill(`${whole}\n# typed last`);
  // Sooner than the pause after which the work is run.
  await page.getByRole('link', { name: 'Matrix' }).click();
  await page.locator('.cells tbody tr').first().waitFor();
  // The address of the page that was left is not written over that of this one.
  await page.waitForTimeout(700);
  assert.match(page.url(), /\/matrix$/);
  assert.equal(await page.locator('.crash').count(), 0);
  await page.getByRole('link', { name: 'Lab' }).click();
  await commands(page).waitFor();
  assert.equal(await commands(page).inputValue(), `${whole}\n# typed last`);
  await commands(page).fill(`${whole}\n# and now`);
  await page.reload();
  await commands(page).waitFor();
  assert.equal(await commands(page).inputValue(), `${whole}\n# and now`);
});

test('the first letter takes the template out of the address, so that a reload finds the work', async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  const whole = await commands(page).inputValue();
  await commands(page).fill(`${whole}\n# mine`);
  await page.reload();
  await commands(page).waitFor();
  assert.equal(await commands(page).inputValue(), `${whole}\n# mine`);
});

test('a template is drawn from its files: no simulator is loaded for it', async ({ page, url }) => {
  let asked = 0;
  await page.route('**/headroom-worker_bg.wasm', (route) => {
    asked += 1;
    return route.continue();
  });
  await open(page, `${url}/lab?s=seed`);
  await page.waitForTimeout(500);
  assert.equal(asked, 0);
  await commands(page).fill(`${await commands(page).inputValue()}\n# a remark`);
  await page.waitForFunction(() => performance.getEntriesByType('resource').some((entry) => /headroom-worker/.test(entry.name)));
});

test('Undo after a template brings back the scenario with its own programs', async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  await page.getByLabel('Begin with a scenario').selectOption('decap-vxlan');
  await page.waitForFunction(() => /type vxlan/.test(document.querySelector('.commands textarea').value));
  await page.waitForFunction(() => !/524288/.test(document.querySelector('.right .answers')?.textContent ?? '524288'));
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.locator('.right .answer', { hasText: '524288' }).waitFor();
  assert.equal(await page.locator('.right .problem').count(), 0);
  assert.match(await commands(page).inputValue(), /decap mode gre/);
});

test('a packet is typed without losing the place; a line that can’t be read leaves the fields, and Undo the texts', async ({ page, url, shots }) => {
  await open(page, `${url}/lab?s=seed`);
  await page.getByRole('tab', { name: /Packets/ }).click();
  await page.getByRole('button', { name: 'make a packet' }).click();
  await page.getByLabel('Name of the packet').click();
  await page.keyboard.press('End');
  await page.keyboard.type(' of mine');
  assert.equal(await page.getByLabel('Name of the packet').inputValue(), 'packet 1 of mine');
  assert.match(await page.locator('.packets-list').innerText(), /packet 1 of mine/);
  const layers = page.getByLabel('As layers');
  await layers.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('69 ');
  const typed = 'ethernet / ipv4 / icmp / payload 616263646566676869 ';
  assert.equal(await layers.inputValue(), typed);
  // RFC 791: 20 + 8 + 9 bytes.
  const total = () => page.locator('.layers fieldset', { hasText: 'ipv4' }).getByLabel('tot_len').getAttribute('placeholder');
  assert.equal(await total(), '37');
  await page.keyboard.type('/ vl');
  await page.locator('.packet .problem').waitFor();
  assert.equal(await layers.inputValue(), `${typed}/ vl`);
  assert.equal(await total(), '37');
  assert.ok(await page.getByLabel('ttl').first().isDisabled());
  await shots('lab-packet-wrong');
  await page.locator('.tools').getByRole('button', { name: 'Undo' }).click();
  await page.waitForFunction(() => /payload 6162636465666768$/.test(document.querySelector('.packet textarea').value));
  assert.equal(await page.locator('.packet .problem').count(), 0);
  // A value that a field can't hold is said beside it.
  const ttl = page.getByLabel('ttl').first();
  await ttl.fill('300');
  await ttl.press('Enter');
  await page.locator('.layers label', { hasText: 'ttl' }).getByRole('alert').waitFor();
  assert.equal(await ttl.inputValue(), '300');
});

/** A link as docs/links.md describes it, made here and not by Headroom. */
function link(sections) {
  const adler = (bytes) => {
    let [a, b] = [1, 0];
    for (const byte of bytes) [a, b] = [(a + byte) % 65521, (b + ((a + byte) % 65521)) % 65521];
    return ((b << 16) | a) >>> 0;
  };
  const one = ([kind, text]) => {
    const body = Buffer.from(text);
    const head = Buffer.alloc(9);
    head.writeUInt8(kind, 0);
    head.writeUInt32LE(body.length, 1);
    head.writeUInt32LE(adler(Buffer.concat([Buffer.from([kind]), body])), 5);
    return Buffer.concat([head, body]);
  };
  return `1${deflateRawSync(Buffer.concat(sections.map(one))).toString('base64url')}`;
}

test('an old link that holds what was shown opens there; the address has the last word', async ({ page, url }) => {
  const commands = (await readFile(path.join(root, 'content/scenarios/seed.json'), 'utf8').then(JSON.parse)).paste.join('\n');
  const view = 'd=mac_header,custom&at=get_tag.exit@decap%231&z=functions';
  const old = link([[1, 'seed'], [2, commands], [3, view], [4, 'on_decap=move_up']]);
  await open(page, `${url}/lab#${old}`);
  assert.equal(await page.locator('.notice').count(), 0, await page.locator('.notice').allInnerTexts());
  await page.locator('.right .answer', { hasText: 'custom 42' }).or(page.locator('.right .answer', { hasText: /custom\s*42/ })).first().waitFor();
  assert.equal(await page.locator('.where code').innerText(), 'get_tag on decap, exit');
  assert.match(await page.locator('.own-design summary').innerText(), /on_decap=move_up/);
  await page.goto('about:blank');
  await open(page, `${url}/lab?d=mac_header#${old}`);
  await page.waitForFunction(() => document.querySelectorAll('.design').length === 1);
  assert.equal(await page.locator('.own-design').count(), 0);
});

/** A capture of whole frames, and of one of which a part was captured. */
function capture(frames) {
  const header = Buffer.from('d4c3b2a1020004000000000000000000000004000100000000', 'hex').subarray(0, 24);
  const record = ([hex, onWire]) => {
    const bytes = Buffer.from(hex, 'hex');
    const head = Buffer.alloc(16);
    head.writeUInt32LE(bytes.length, 8);
    head.writeUInt32LE(onWire ?? bytes.length, 12);
    return Buffer.concat([head, bytes]);
  };
  return Buffer.concat([header, ...frames.map(record)]);
}

test('of a capture that is cut off the whole packets are there, with the place of the first that is not', async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  const frame = '020000000001020000000002080045000024222200004001d4b3c0000202c00002010800db85070700016162636465666768';
  const whole = capture([[frame], [frame, 1500], [frame], [frame]]);
  await files(page, [['cut.pcap', whole.subarray(0, whole.length - 3)]]);
  await page.getByRole('tab', { name: 'Packets 2' }).waitFor();
  // The second record stands at 24 + 16 + 50.
  assert.match(await page.locator('.notice').innerText(), /cut\.pcap: 2 packets were left out: offset 90: packet 2: only 50 of its 1500 bytes were captured\./);
  assert.match(await page.locator('.packets-list').innerText(), /cut\.pcap 1[\s\S]*cut\.pcap 3/);
  await page.getByRole('button', { name: 'Dismiss' }).click();
  assert.equal(await page.locator('.notice').count(), 0);
  await files(page, [['none.pcap', whole.subarray(0, 70)]]);
  await page.locator('.notice', { hasText: 'offset 24: the file ends inside packet 1' }).waitFor();
});

test('a pcapng file is read, and one with a block that is cut off says where', async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  const number = (value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const block = (kind, body) => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    return Buffer.concat([number(kind), number(12 + padded.length), padded, number(12 + padded.length)]);
  };
  const frame = Buffer.from('020000000001020000000002080045000024222200004001d4b3c0000202c00002010800db85070700016162636465666768', 'hex');
  const section = block(0x0a0d0d0a, Buffer.concat([number(0x1a2b3c4d), Buffer.from([1, 0, 0, 0]), Buffer.alloc(8, 0xff)]));
  const interface_ = block(1, Buffer.concat([Buffer.from([1, 0, 0, 0]), number(0)]));
  const packet = block(6, Buffer.concat([number(0), number(0), number(0), number(50), number(50), frame]));
  const whole = Buffer.concat([section, interface_, packet, packet]);
  await files(page, [['two.pcapng', whole]]);
  await page.getByRole('tab', { name: 'Packets 2' }).waitFor();
  assert.match(await page.locator('.packets-list').innerText(), /192\.0\.2\.2 → 192\.0\.2\.1\s+two\.pcapng 2\s+ipv4 \/ icmp\s+50/);
  assert.equal(await page.locator('.notice').count(), 0);
  // 28 and 20 bytes in front, 84 of the first packet.
  await files(page, [['cut.pcapng', whole.subarray(0, whole.length - 8)]]);
  await page.locator('.notice', { hasText: 'cut.pcapng: one packet was left out: offset 132: a pcapng block' }).waitFor();
  await page.getByRole('tab', { name: 'Packets 3' }).waitFor();
});

test('a recording that is dropped on the lab is opened, an object that is dropped there goes to the lab; the work stays', async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  const whole = await commands(page).inputValue();
  await commands(page).fill(`${whole}\n# mine`);
  const recording = await readFile(path.join(root, 'tests/recordings/E2-gre-veth-full.mac_header.json'));
  await files(page, [['any-name.txt', recording]]);
  await page.waitForURL(/\/open$/);
  await page.locator('.answer', { hasText: '524288' }).first().waitFor();
  const object = await readFile(path.join(root, 'content/programs/seed/progs.bpf.o'));
  await page.locator('.open input[type=file]').setInputFiles({ name: 'mine.bpf.o', mimeType: 'application/octet-stream', buffer: object });
  await page.waitForURL(/\/lab/);
  await page.getByRole('tab', { name: 'Programs 1' }).waitFor();
  await page.getByRole('tab', { name: 'Commands' }).click();
  assert.equal(await commands(page).inputValue(), `${whole}\n# mine`);
});

test('the picture’s way is where the packet goes: returns of functions are no part of it', async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  // Through the tunnel to its other end, and the reply back: RFC 2784's two ends, RFC 792's echo.
  assert.equal(await page.locator('.topology figcaption').innerText(), 'Packet 2 of 2, its way: encap → tx → rx → decap → rx → tx → encap.');
  await page.locator('.topology .dev', { hasText: 'decap' }).click();
  const panel = page.getByRole('region', { name: 'Device decap' });
  await panel.getByText('Packets come here 2 times').waitFor();
  const steps = await panel.locator('ol').nth(1).getByRole('button').allInnerTexts();
  assert.ok(steps.every((step) => /\.entry@decap#\d+$/.test(step)), steps.join());
});

test('dense and to scale are buttons, and are remembered', async ({ page, url }) => {
  await page.goto(`${url}/s/seed`);
  await page.locator('.controls').waitFor();
  const dense = page.getByRole('button', { name: 'Dense' });
  assert.equal(await dense.getAttribute('aria-pressed'), 'false');
  await dense.click();
  await page.getByRole('button', { name: 'folded' }).click();
  for (const address of ['/s/seed', '/lab?s=seed', '/compare/seed']) {
    await page.goto(url + address);
    await page.locator('.controls').waitFor();
    await page.getByRole('button', { name: 'to scale' }).waitFor();
    assert.equal(await dense.getAttribute('aria-pressed'), 'true', address);
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).fontSize), '14px', address);
  }
  await page.keyboard.press('Shift+D');
  assert.equal(await dense.getAttribute('aria-pressed'), 'false');
  await page.getByRole('button', { name: 'to scale' }).click();
  await page.reload();
  await page.getByRole('button', { name: 'folded' }).waitFor();
});
