// Commands, programs and packets of the reader's own.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from './lib/harness.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const commands = (page) => page.getByRole('textbox', { name: 'Commands' });

async function open(page, address) {
  await page.goto(address);
  await commands(page).waitFor();
}

const ran = (page) => page.locator('.right .answer').first().waitFor();

test('a scenario is a template, its result is there, the topology is drawn', async ({ page, url, shots }) => {
  await open(page, `${url}/lab`);
  await ran(page);
  assert.match(await commands(page).inputValue(), /ip netns add tx/);
  assert.match(await page.locator('.topology figcaption').innerText(), /way: encap/);
  assert.match(await page.locator('.right .answers').innerText(), /524288/);
  await shots('lab');
});

test('a mistake is marked where it stands, and what may follow is said', async ({ page, url, shots }) => {
  await open(page, `${url}/lab`);
  await ran(page);
  await commands(page).fill('ip netns add tx\nip link add rx type veth peer name tx netns tx\norc tcx get rx sideways');
  await page.locator('.wavy').first().waitFor();
  assert.equal(await page.locator('.wavy').first().innerText(), 'sideways');
  assert.match(await page.locator('.right .problem').innerText(), /Line 3, column 16: .*expected ingress or egress/);
  await commands(page).fill('ip link add rx type veth peer name far\norc tap ');
  await commands(page).press('End');
  await page.locator('.choices button', { hasText: 'far' }).waitFor();
  assert.match(await page.locator('#lab-next').innerText(), /a device/);
  await shots('lab-mistake');
  await commands(page).press('Control+ ');
  assert.match(await commands(page).inputValue(), /orc tap rx $/);
});

test('undo, redo, and the work outlives a reload', async ({ page, url }) => {
  await open(page, `${url}/lab`);
  const before = await commands(page).inputValue();
  await commands(page).fill(`${before}\n# a remark`);
  await page.getByRole('button', { name: 'Undo' }).click();
  assert.equal(await commands(page).inputValue(), before);
  await page.getByRole('button', { name: 'Redo' }).click();
  assert.match(await commands(page).inputValue(), /a remark$/);
  await page.waitForFunction(() => localStorage.getItem('lab-work'));
  await page.waitForTimeout(500);
  await page.reload();
  await commands(page).waitFor();
  assert.match(await commands(page).inputValue(), /a remark$/);
});

test('everything is one link; a broken one says what is broken', async ({ page, url, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, `${url}/lab`);
  await commands(page).fill('ip link add rx type veth peer name tx\nip link set rx up');
  await page.locator('.tools').getByRole('button', { name: 'Copy link' }).click();
  await page.locator('.notice').waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(link, /\/lab#1[A-Za-z0-9_-]+$/);
  const other = await context.newPage();
  await other.goto(link);
  await commands(other).waitFor();
  assert.equal(await commands(other).inputValue(), 'ip link add rx type veth peer name tx\nip link set rx up');
  await other.goto('about:blank');
  await other.goto(link.slice(0, -12));
  await commands(other).waitFor();
  await other.locator('.notice').waitFor();
  assert.match(await other.locator('.notice').innerText(), /cut off|damaged/);
});

test('an object file and a capture are dropped, assembler is checked while it is written', async ({ page, url, shots }) => {
  await open(page, `${url}/lab`);
  await ran(page);
  const object = await readFile(path.join(root, 'content/programs/seed/progs.bpf.o'));
  const frame = Buffer.from('020000000001020000000002080045000024222200004001d4b3c0000202c00002010800db85070700016162636465666768', 'hex');
  const header = Buffer.from('d4c3b2a1020004000000000000000000000004000100000000000000000000003200000032000000', 'hex');
  await page.locator('.tools input[type=file]').setInputFiles([
    { name: 'mine.bpf.o', mimeType: 'application/octet-stream', buffer: object },
    { name: 'one.pcap', mimeType: 'application/octet-stream', buffer: Buffer.concat([header, frame]) },
  ]);
  await page.getByRole('tab', { name: 'Packets 1' }).click();
  await page.getByRole('button', { name: 'one.pcap 1' }).click();
  assert.match(await page.getByLabel('As layers').inputValue(), /^ethernet \/ ipv4 saddr=192\.0\.2\.2 daddr=192\.0\.2\.1 \/ icmp/);
  await shots('lab-packet');
  // The checksum follows the value.
  const before = await page.getByLabel('As bytes').inputValue();
  await page.getByLabel('ttl').first().fill('3');
  await page.getByLabel('ttl').first().press('Enter');
  await page.waitForFunction((was) => document.querySelector('.asm.hex').value !== was, before);
  assert.match(await page.getByLabel('As layers').inputValue(), /ttl=3/);

  await page.getByRole('tab', { name: /Programs/ }).click();
  await page.locator('.programs-list li', { hasText: 'get_tag' }).first().waitFor();
  await page.getByRole('button', { name: 'assembler for TC' }).click();
  await page.getByText(/✓ \d+ instructions/).waitFor();
  await page.getByLabel(/Assembler of/).fill('r0 = 0\nr9 = = 1\nexit');
  await page.locator('.program-file .problem').waitFor();
  assert.match(await page.locator('.program-file .problem').innerText(), /Line 2, column/);
  await shots('lab-programs');
});

test('a packet that is made is sent by a command', async ({ page, url }) => {
  await open(page, `${url}/lab`);
  await ran(page);
  await page.getByRole('tab', { name: /Packets/ }).click();
  await page.getByRole('button', { name: 'make a packet' }).click();
  await page.getByLabel('Device to send on').selectOption('tx/tx');
  await page.getByRole('button', { name: 'Add the command' }).click();
  await page.getByRole('tab', { name: /Commands/ }).click();
  assert.match(await commands(page).inputValue(), /send tx 0200[0-9a-f]+ tx$/);
});

test('each scenario is a template of the lab', async ({ page, url }) => {
  await page.goto(`${url}/s/decap-vxlan`);
  await page.getByRole('link', { name: 'Open in the lab' }).click();
  await commands(page).waitFor();
  assert.match(await commands(page).inputValue(), /type vxlan/);
  await ran(page);
});
