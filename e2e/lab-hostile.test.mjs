// Captures that somebody made to do harm, or that were cut: no script runs, nothing in a file becomes an element,
// what was there stays, and what is wrong is said once with its place.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const commands = (page) => page.getByRole('textbox', { name: 'Commands' });
const EVIL = '<img src=x onerror="window.ran=1"><script>window.ran=2</script>';
const FRAME = Buffer.from('020000000001020000000002080045000024222200004001d4b3c0000202c00002010800db85070700016162636465666768', 'hex');

const words = (...all) => Buffer.concat(all.map((value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}));
const PCAP = Buffer.concat([words(0xa1b2c3d4), Buffer.from([2, 0, 4, 0]), words(0, 0, 262144, 1)]);
/** A record of a capture; its lengths may be others than those of its bytes. */
const record = (bytes, captured = bytes.length, original = captured, seconds = 0) => Buffer.concat([words(seconds, 0, captured, original), bytes]);
const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
const block = (kind, body) => Buffer.concat([words(kind, 12 + padded(body).length), padded(body), words(12 + padded(body).length)]);
/** An option; its length may be another than that of its text. */
const option = (code, text, length = Buffer.byteLength(text)) => {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code);
  head.writeUInt16LE(length, 2);
  return Buffer.concat([head, padded(Buffer.from(text))]);
};
const END = words(0);
const SECTION = block(0x0a0d0d0a, Buffer.concat([words(0x1a2b3c4d), Buffer.from([1, 0, 0, 0]), Buffer.alloc(8, 0xff), option(1, EVIL), option(4, EVIL), END]));
const INTERFACE = block(1, Buffer.concat([Buffer.from([1, 0, 0, 0]), words(0), option(2, EVIL), option(3, EVIL), END]));
const enhanced = (bytes, options = Buffer.alloc(0), captured = bytes.length) => block(6, Buffer.concat([words(0, 0, 0, captured, captured), padded(bytes), options]));

const files = (page, all) =>
  page.locator('.tools input[type=file]').setInputFiles(all.map(([name, buffer]) => ({ name, mimeType: 'application/octet-stream', buffer })));

async function open(page, url) {
  await page.goto(`${url}/lab?s=seed`);
  await commands(page).waitFor();
  await page.locator('.right .answer').first().waitFor();
}

async function clean(page) {
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.equal(await page.locator('main img, main script, main iframe').count(), 0);
}

const count = (page) => page.locator('.packets-list tbody tr').count();
const notice = (page) => page.locator('.lab > .notice');

test('names, payloads and comments with tags in them are text', async ({ page, url }) => {
  await open(page, url);
  const tagged = Buffer.concat([FRAME, Buffer.from(EVIL)]);
  await files(page, [
    [`${EVIL.replaceAll('/', '_')}.pcap`, Buffer.concat([PCAP, record(tagged)])],
    ['comments.pcapng', Buffer.concat([SECTION, INTERFACE, enhanced(tagged, Buffer.concat([option(1, EVIL), END]))])],
  ]);
  await page.getByRole('tab', { name: 'Packets 2' }).waitFor();
  await page.locator('.packets-list', { hasText: '<img src=x' }).waitFor();
  assert.match(await page.getByLabel('Name of the packet').inputValue(), /comments\.pcapng 1/);
  await page.locator('.packets-list').getByRole('button', { name: '<img' }).click();
  assert.match(await page.getByLabel('Name of the packet').inputValue(), /^<img src=x/);
  await clean(page);
  // Sent, it goes through the simulator, and into the picture.
  await page.getByLabel('Device to send on').selectOption('tx/tx');
  await page.getByRole('button', { name: 'Add the command' }).click();
  await page.getByText('Packet 1 of 3').or(page.getByText('Packet 2 of 3')).or(page.getByText('Packet 3 of 3')).first().waitFor();
  await clean(page);
  // Kept and opened again.
  await page.reload();
  await page.locator('.packets-list', { hasText: '<img src=x' }).waitFor();
  await clean(page);
});

test('lengths of 0, of 2^31 and of 4 GB, cut records and options that are too long: one error with its place, and what was there stays', async ({ page, url, shots }) => {
  await open(page, url);
  await files(page, [['good.pcap', Buffer.concat([PCAP, record(FRAME), record(FRAME, FRAME.length, FRAME.length, 2)])]]);
  await page.getByRole('tab', { name: 'Packets 2' }).waitFor();
  assert.equal(await count(page), 2);
  const bad = async (name, bytes, said, left = 0) => {
    const before = await count(page);
    await files(page, [[name, bytes]]);
    await notice(page).filter({ hasText: name }).waitFor();
    assert.equal(await notice(page).locator('p').count(), 1, name);
    assert.match(await notice(page).innerText(), said);
    assert.equal(await count(page), before + left, name);
    await clean(page);
  };
  // The header has 24 bytes, a record's 16.
  const second = 24 + 16 + FRAME.length;
  const behind = (...all) => Buffer.concat([PCAP, record(FRAME), ...all]);
  await bad('none.pcap', behind(record(Buffer.alloc(0))), new RegExp(`one packet was left out: offset ${second}: packet 2: it has no bytes`), 1);
  await bad('more.pcap', behind(record(FRAME, FRAME.length, 20)), new RegExp(`offset ${second}: packet 2: 50 bytes were captured of a packet of 20`), 1);
  await bad('half.pcap', behind(record(FRAME, 2 ** 31)), new RegExp(`offset ${second}: the file ends inside packet 2`), 1);
  await bad('all.pcap', Buffer.concat([PCAP, record(FRAME, 0xffffffff)]), /all\.pcap: offset 24: the file ends inside packet 1/);
  await bad('cut.pcap', behind(record(FRAME)).subarray(0, second + 30), new RegExp(`offset ${second}: the file ends inside packet 2`), 1);
  await bad('head.pcap', PCAP.subarray(0, 20), /not a pcap file: 20 bytes, its header has 24/);
  const front = SECTION.length + INTERFACE.length;
  const ng = (...all) => Buffer.concat([SECTION, INTERFACE, ...all]);
  await bad('option.pcapng', ng(enhanced(FRAME, option(1, EVIL, 60_000)), enhanced(FRAME)), new RegExp(`offset ${front}: packet 1: an option is longer than its block`), 1);
  await bad('long.pcapng', ng(enhanced(FRAME, Buffer.alloc(0), 0xffffffff)), new RegExp(`offset ${front}: a pcapng block`));
  const huge = enhanced(FRAME);
  huge.writeUInt32LE(0xfffffffc, 4);
  await bad('block.pcapng', ng(enhanced(FRAME), huge), new RegExp(`offset ${front + enhanced(FRAME).length}: a pcapng block`), 1);
  await bad('nothing.pcapng', ng(enhanced(Buffer.alloc(0))), new RegExp(`offset ${front}: packet 1: it has no bytes`));
  await shots('lab-hostile');
  // Those that came first are as they were, with addresses and times.
  const rows = await page.locator('.packets-list tbody tr').allInnerTexts();
  assert.match(rows[0].replaceAll(/\s+/g, ' '), /^1 0\.000000 192\.0\.2\.2 → 192\.0\.2\.1 good\.pcap 1 ipv4 \/ icmp 50$/);
  assert.match(rows[1].replaceAll(/\s+/g, ' '), /^2 2\.000000 192\.0\.2\.2 → 192\.0\.2\.1 good\.pcap 2 ipv4 \/ icmp 50$/);
});

test('a file that is nothing of ours is told what is taken and what it looks like; older words go', async ({ page, url, shots }) => {
  await open(page, url);
  const before = await commands(page).inputValue();
  const drop = async (name, bytes, said) => {
    await files(page, [[name, Buffer.from(bytes)]]);
    await notice(page).filter({ hasText: name }).waitFor();
    assert.equal(await notice(page).locator('p').count(), 1, name);
    const words = await notice(page).innerText();
    assert.match(words, said);
    assert.doesNotMatch(words, /link/);
    assert.equal(await commands(page).inputValue(), before);
  };
  await drop('picture.png', '\x89PNG\r\n\x1a\n', /BPF objects of clang \(ELF\).*\.pcap.*\.headroom.*JSON/s);
  await drop('notes.txt', 'Some words\nand more', /looks like text that begins with “Some words”/);
  await drop('page.html', `${EVIL}`, /looks like HTML or XML/);
  await drop('empty.bin', '', /looks like an empty file/);
  await drop('mine.headroom', 'no deflate at all', /mine\.headroom: the file is damaged at its start/);
  await clean(page);
  // Of many at once three are told, the others are a click away.
  await files(page, Array.from({ length: 9 }, (_, at) => [`n${at}.bin`, Buffer.from([at, 1, 2, 3])]));
  await notice(page).getByText('6 more').waitFor();
  await shots('lab-foreign');
});
