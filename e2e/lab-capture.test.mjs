// A large capture: it is read in a worker, in slices; the page says how far that is, and answers meanwhile. What is counted
// here is what the page does at once, not how long that takes.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const FRAMES = 80_000;
const LEN = 60;
/** 24 + 80,000 × (16 + 60) bytes. */
const SIZE = 6_080_024;
const SLICE = 1 << 20;

/** A capture of Ethernet frames with an IPv4 and a UDP header, a microsecond apart (pcap-savefile(5)). */
function capture(frames = FRAMES, len = LEN) {
  const file = Buffer.alloc(24 + frames * (16 + len));
  Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex').copy(file);
  const frame = Buffer.from(`${'02'.repeat(12)}0800${'4500002e00000000401100000a0000020a000001'}${'03e80009001a0000'}`, 'hex');
  for (let number = 0; number < frames; number += 1) {
    const at = 24 + number * (16 + len);
    file.writeUInt32LE(number, at + 4);
    file.writeUInt32LE(len, at + 8);
    file.writeUInt32LE(len, at + 12);
    frame.copy(file, at + 16);
  }
  return file;
}

const input = (page) => page.locator('.tools input[type=file]');
const named = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
const big = named('big.pcap', capture());
const bar = (page) => page.getByRole('status').filter({ hasText: 'Reading big.pcap (6 MB)' });

/** In the page, before its scripts: counts what the page itself reads of files, and what it is told at once. */
function counters() {
  window.counted = { read: 0, told: [], progress: [], rows: [] };
  const { arrayBuffer } = Blob.prototype;
  Blob.prototype.arrayBuffer = function read() {
    window.counted.read += this.size;
    return arrayBuffer.call(this);
  };
  const Plain = window.Worker;
  window.Worker = class extends Plain {
    constructor(...all) {
      super(...all);
      this.addEventListener('message', (event) => window.counted.told.push(event.data?.byteLength ?? 0));
    }
  };
  new MutationObserver((records) => {
    for (const { target } of records) if (target.matches?.('progress[aria-label="Bytes that are read"]')) window.counted.progress.push(Number(target.getAttribute('value')));
    const added = records.flatMap((record) => [...record.addedNodes]);
    const rows = added.flatMap((node) => (node.matches?.('tr') ? [node] : [...(node.querySelectorAll?.('.packets-list tbody tr') ?? [])]));
    if (rows.length > 0) window.counted.rows.push(rows.length);
  }).observe(document, { subtree: true, childList: true, attributeFilter: ['value'] });
}

/** The lab, with a simulator that comes late to whoever asks for it: what is shown meanwhile stays in sight. */
async function open(page, url) {
  assert.equal(big.buffer.length, SIZE);
  await page.addInitScript(counters);
  let goes;
  const gate = new Promise((done) => { goes = done; });
  await page.route('**/headroom-worker_bg.wasm', async (route) => {
    await gate;
    await route.continue().catch(() => {});
  });
  await page.goto(`${url}/lab?s=seed`);
  await page.getByRole('textbox', { name: 'Commands' }).waitFor();
  await page.locator('.right .answer').first().waitFor();
  return goes;
}

test('a large capture is read in slices in a worker; nothing that the page does at once grows with it', async ({ page, url, shots }) => {
  const goes = await open(page, url);
  await input(page).setInputFiles(big);
  await bar(page).waitFor();
  await bar(page).getByRole('button', { name: 'Cancel' }).waitFor();
  assert.equal(await bar(page).locator('progress').getAttribute('max'), `${SIZE}`);
  await shots('lab-reading');
  goes();
  await page.getByRole('tab', { name: 'Packets 500' }).waitFor();
  await page.locator('.packets-list tbody tr').nth(499).waitFor();
  assert.equal(await bar(page).count(), 0);
  assert.match(await page.locator('.notice').innerText(), /big\.pcap has 80000 packets; the first 500 are here\./);
  assert.match(await page.locator('.packets-list tbody tr').nth(499).innerText(), /500\s+0\.000499\s+10\.0\.0\.2:1000 → 10\.0\.0\.1:9 big\.pcap 500\s+ipv4 \/ udp\s+60/);
  const { read, told, progress, rows } = await page.evaluate(() => window.counted);
  // The beginning, by which it is known as a capture; twice at most.
  assert.ok(read <= 1024, `the page read ${read} bytes by itself`);
  const slices = Array.from({ length: 5 }, (_, at) => (at + 1) * SLICE);
  assert.deepEqual(progress.filter((value) => value > 0), [...slices, SIZE]);
  assert.ok(Math.max(...told) < 100_000, `messages of ${told} bytes`);
  assert.equal(rows.reduce((sum, count) => sum + count), 500);
  assert.ok(Math.max(...rows) <= 50, `rows drawn at once: ${rows}`);
});

// 500 packets of 400 bytes: the work is stored in a turn of its own.
test('a large capture is there after a reload that comes at once', async ({ page, url }) => {
  const goes = await open(page, url);
  goes();
  await input(page).setInputFiles(named('two.pcap', capture(2000, 400)));
  // As soon as the address says that it is no template any more.
  await page.waitForFunction(() => !location.search.includes('s=seed'), null, { polling: 1 });
  await page.reload();
  await page.getByRole('tab', { name: 'Packets 500' }).waitFor();
});

test('a reading that is cancelled leaves the work as it was, and what waited is taken', async ({ page, url }) => {
  const goes = await open(page, url);
  await input(page).setInputFiles(big);
  await bar(page).waitFor();
  await input(page).setInputFiles(named('mine.xdp.s', Buffer.from('r0 = 2\nexit\n')));
  await page.waitForTimeout(300);
  assert.equal(await page.getByRole('tab', { name: 'Programs' }).innerText(), 'Programs');
  await bar(page).getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('tab', { name: 'Programs 1' }).waitFor();
  assert.equal(await bar(page).count(), 0);
  assert.equal(await page.locator('.notice p').innerText(), 'Cancelled: nothing of big.pcap is here.');
  assert.equal(await page.getByRole('tab', { name: 'Packets' }).innerText(), 'Packets');
  goes();
  // It can be had after all.
  await input(page).setInputFiles(big);
  await page.getByRole('tab', { name: 'Packets 500' }).waitFor();
});
