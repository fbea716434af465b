// The lab's maps, progress, packet builder and limits.
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
  await page.locator('.right .answer').first().waitFor();
}

test('an object is attached by a click, its map is set before the run, and seen after it', async ({ page, url, shots }) => {
  await open(page, `${url}/lab`);
  const object = await readFile(path.join(root, 'tests/recordings/programs/h_redirect.bpf.o'));
  await page.locator('.tools input[type=file]').setInputFiles([{ name: 'h_redirect.bpf.o', mimeType: 'application/octet-stream', buffer: object }]);
  const line = page.locator('.programs-list li', { hasText: 'h_redirect' });
  await line.getByLabel('Device for h_redirect').selectOption('rx');
  await line.getByRole('button', { name: 'Attach' }).click();
  await page.getByRole('tab', { name: 'Maps' }).click();
  const cfg = page.locator('.maps article', { has: page.locator('h3', { hasText: 'cfg' }) });
  await cfg.getByText('All values were zero when the run was over.').waitFor();
  // A wrong value is refused where it is typed.
  await cfg.getByLabel('Key for cfg').fill('0');
  await cfg.getByLabel('Value for cfg').fill('2a 00');
  await cfg.getByRole('button', { name: 'Put in before the run' }).click();
  assert.match(await cfg.getByRole('alert').innerText(), /Value: These are 2 bytes; it has 4/);
  await cfg.getByLabel('Value for cfg').fill('1');
  await cfg.getByRole('button', { name: 'Put in before the run' }).click();
  // What the simulator left in the map.
  await cfg.locator('td', { hasText: '01 00 00 00 = 1' }).waitFor();
  await page.getByRole('tab', { name: 'Maps 1' }).waitFor();
  await shots('lab-maps');
  await page.getByRole('tab', { name: 'Commands' }).click();
  const lines = (await commands(page).inputValue()).split('\n');
  const at = (text) => lines.findIndex((line) => line.includes(text));
  assert.ok(at('bpftool map update name cfg key hex 00 00 00 00 value hex 01 00 00 00') > 0, lines.join('\n'));
  assert.ok(at('bpftool map update') < at('ping') && at('orc tcx h_redirect rx ingress') < at('ping'), lines.join('\n'));
  await page.getByRole('button', { name: 'Undo' }).click();
  assert.doesNotMatch(await commands(page).inputValue(), /map update/);
});

test('a run that takes long shows its progress and can be stopped', async ({ page, url }) => {
  let slow = true;
  let loaded = 0;
  await page.route('**/headroom-worker_bg.wasm', async (route) => {
    loaded += 1;
    if (slow) await new Promise((done) => setTimeout(done, 4000));
    await route.continue().catch(() => {});
  });
  await open(page, `${url}/lab`);
  // Templates come from files: nothing is simulated yet.
  assert.equal(await page.locator('.busy progress').count(), 0);
  assert.equal(loaded, 0, 'the simulator was loaded for what is a file');
  const before = await commands(page).inputValue();
  await commands(page).fill(before.replaceAll('192.0.2.', '198.51.100.'));
  await page.locator('.busy progress').waitFor();
  assert.match(await page.locator('.busy').innerText(), /Simulating: 0 of 2 designs/);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopped: what is shown is of the last input').waitFor();
  slow = false;
  await commands(page).fill(before.replaceAll('192.0.2.', '203.0.113.'));
  await page.locator('.busy', { hasText: 'Stopped' }).waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.querySelector('.busy')?.textContent === '');
  assert.match(await page.locator('.right .answers').innerText(), /524288/);
});

/** The Internet checksum (RFC 1071) of bytes: 0xffff, if the checksum in them is right. */
function sum(bytes) {
  let all = 0;
  for (let at = 0; at < bytes.length; at += 2) all += (bytes[at] << 8) + (bytes[at + 1] ?? 0);
  while (all > 0xffff) all = (all & 0xffff) + (all >> 16);
  return all;
}

async function frame(page, layers) {
  await page.getByLabel('As layers').fill(layers);
  await page.waitForTimeout(100);
  assert.equal(await page.locator('.packet > .problem').count(), 0, await page.locator('.packet > .problem').allInnerTexts());
  return Buffer.from((await page.getByLabel('As bytes').inputValue()).replaceAll(/\s/g, ''), 'hex');
}

test('the builder has every layer, and computes lengths, types and checksums', async ({ page, url, shots }) => {
  await open(page, `${url}/lab`);
  await page.getByRole('tab', { name: /Packets/ }).click();
  await page.getByRole('button', { name: 'make a packet' }).click();
  const offered = await page.getByLabel('Add a layer').locator('option').allInnerTexts();
  for (const layer of ['ethernet', 'vlan', 'mpls', 'ipv4', 'ipv6', 'gre', 'udp', 'vxlan', 'geneve', 'icmp', 'tcp']) {
    assert.ok(offered.includes(layer), `${layer} in ${offered}`);
  }
  // VLAN 5, VXLAN 42, and inside IPv6 with TCP.
  const vxlan = await frame(page, 'ethernet / vlan id=5 / ipv4 / udp / vxlan vni=42 / ethernet / ipv6 / tcp dest=80 / payload 6162');
  assert.equal(vxlan.readUInt16BE(12), 0x8100);
  assert.equal(vxlan.readUInt16BE(14) & 0xfff, 5);
  assert.equal(vxlan.readUInt16BE(16), 0x0800);
  const ip = vxlan.subarray(18);
  assert.equal(ip.readUInt16BE(2), ip.length);
  assert.equal(sum(ip.subarray(0, 20)), 0xffff);
  assert.equal(ip[9], 17);
  assert.equal(ip.readUInt16BE(22), 4789);
  assert.equal(ip.readUInt16BE(24), ip.length - 20);
  assert.equal(ip.subarray(28, 36).toString('hex'), '0800000000002a00');
  const inner = ip.subarray(36);
  assert.equal(inner.readUInt16BE(12), 0x86dd);
  const ip6 = inner.subarray(14);
  assert.equal(ip6.readUInt16BE(4), ip6.length - 40);
  assert.equal(ip6[6], 6);
  const tcp = ip6.subarray(40);
  assert.equal(tcp.readUInt16BE(2), 80);
  const pseudo = Buffer.concat([ip6.subarray(8, 40), Buffer.from([0, 0, 0, tcp.length, 0, 0, 0, 6]), tcp]);
  assert.equal(sum(pseudo), 0xffff);
  await shots('lab-builder');
  // MPLS, GRE and GENEVE.
  const mpls = await frame(page, 'ethernet / mpls label=16 / ipv4 / icmp / payload 6162');
  assert.equal(mpls.readUInt16BE(12), 0x8847);
  assert.equal(mpls.readUInt32BE(14) >>> 12, 16);
  assert.equal((mpls.readUInt32BE(14) >>> 8) & 1, 1);
  assert.equal(sum(mpls.subarray(38)), 0xffff);
  const gre = await frame(page, 'ethernet / ipv4 / gre / ipv4 / udp / geneve vni=7 / ethernet / payload 00');
  assert.equal(gre[23], 47);
  assert.equal(gre.subarray(34, 38).toString('hex'), '00000800');
  assert.equal(gre.readUInt16BE(38 + 22), 6081);
  assert.equal(gre.subarray(66, 74).toString('hex'), '0000655800000700');
});

test('work that is too large for a link is offered as a file, and comes back from it', async ({ page, url }) => {
  await open(page, `${url}/lab`);
  await page.getByRole('tab', { name: /Packets/ }).click();
  await page.getByRole('button', { name: 'make a packet' }).click();
  // 60,000 bytes that no compression makes small.
  let seed = 1;
  const noise = Array.from({ length: 60_000 }, () => ((seed = (seed * 48_271) % 0x7fffffff) & 0xff).toString(16).padStart(2, '0'));
  await page.getByLabel('As bytes').fill(noise.join(''));
  await page.getByLabel('As bytes').dispatchEvent('change');
  await page.locator('.tools').getByRole('button', { name: 'Copy link' }).click();
  await page.locator('.notice', { hasText: 'save it as a file' }).waitFor();
  assert.doesNotMatch(page.url(), /#/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save file' }).click()]);
  const bytes = await readFile(await download.path());
  await page.evaluate(() => localStorage.clear());
  await page.goto(`${url}/lab?s=seed`);
  await commands(page).waitFor();
  await page.locator('.tools input[type=file]').setInputFiles([{ name: 'work.headroom', mimeType: 'application/octet-stream', buffer: bytes }]);
  await page.getByRole('tab', { name: 'Packets 1' }).click();
  await page.locator('.packets-list').getByRole('button', { name: 'packet 1' }).click();
  await page.waitForFunction((start) => document.querySelector('.asm.hex')?.value.replaceAll(/\s/g, '').startsWith(start), noise.slice(0, 32).join(''));
});

test('one sheet has the keys of every page, and density is kept', async ({ page, url, shots }) => {
  for (const address of ['/matrix', '/s', '/lab', '/compare/seed', '/s/seed']) {
    await page.goto(url + address);
    await page.locator('.cells, .catalogue, .ribbon .hx, main li').first().waitFor();
    // What the build has drawn of a scenario hears no keys: its module does, with its controls.
    if (address === '/s/seed') await page.locator('.controls').waitFor();
    await page.locator('h1').first().click();
    await page.keyboard.press('?');
    const sheet = page.locator('dialog.sheet[open]');
    await sheet.waitFor().catch(() => assert.fail(`no sheet at ${address}`));
    assert.match(await sheet.innerText(), /in Compare: first, previous, next difference/, address);
    assert.match(await sheet.innerText(), /next step/, address);
    await page.keyboard.press('Escape');
    assert.equal(await sheet.count(), 0);
  }
  const size = () => page.evaluate(() => getComputedStyle(document.body).fontSize);
  assert.equal(await size(), '16px');
  await page.keyboard.press('Shift+D');
  assert.equal(await size(), '14px');
  await page.reload();
  await page.locator('.ribbon .hx').first().waitFor();
  assert.equal(await size(), '14px');
  await shots('dense');
  await page.keyboard.press('Shift+D');
  assert.equal(await size(), '16px');
});
