// Programs while they are written: what the verifier says, where it stands; and programs that get to a hook by a click.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from './lib/harness.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const commands = (page) => page.getByRole('textbox', { name: 'Commands' });

async function programs(page, address) {
  await page.goto(address);
  await commands(page).waitFor();
  await page.locator('.right .answer').first().waitFor();
  await page.getByRole('tab', { name: /Programs/ }).click();
}

// struct xdp_md: data at 0, data_end at 4. XDP_PASS is 2.
const BLIND = `; the 14th byte of the packet
r2 = *(u32 *)(r1 +0)
r0 = 2

r5 = *(u8 *)(r2 +13)   ; nobody has looked whether it is there
exit`;
const SEEING = `r2 = *(u32 *)(r1 +0)
r3 = *(u32 *)(r1 +4)
r0 = 2
r4 = r2
r4 += 14
if r4 > r3 goto out
r5 = *(u8 *)(r2 +13)
out:
exit`;

test('a program that reads beyond data_end is refused in its line, not attached to anything; mended it is taken', async ({ page, url, shots }) => {
  await programs(page, `${url}/lab?s=seed`);
  await page.getByRole('button', { name: 'assembler for XDP' }).click();
  const own = page.locator('.program-file', { hasText: 'mine1.xdp.s' });
  const text = page.getByLabel('Assembler of mine1.xdp.s');
  // What the button writes is taken.
  await own.getByText('✓ 8 instructions, taken by the verifier as xdp').waitFor();
  await text.fill(BLIND);
  // The words of check_packet_access() (kernel/bpf/verifier.c).
  const refused = own.locator('.problem');
  await refused.waitFor();
  assert.match(await refused.innerText(), /Line 5, instruction 2, as xdp: invalid access to packet, off=13 size=1, R2\(id=\d+,off=13,r=0\).*outside of the allowed memory range/);
  assert.equal(await own.locator('.cl.bad').count(), 1);
  assert.equal(await own.locator('.cl.bad .cl-text').innerText(), 'r5 = *(u8 *)(r2 +13)   ; nobody has looked whether it is there\n');
  // Underlined is the instruction, not what is remarked.
  assert.equal((await own.locator('.cl.bad .wavy').allInnerTexts()).join(''), 'r5 = *(u8 *)(r2 +13)');
  assert.match(await own.locator('.cl.bad .said').innerText(), /^invalid access to packet/);
  assert.equal(await own.locator('.numbers .bad').innerText(), '5');
  assert.equal(await own.locator('.verdict.bad').count(), 1);
  assert.equal(await own.getByText('✓').count(), 0);
  assert.equal(await text.getAttribute('aria-invalid'), 'true');
  // Nothing is wrong with the run: no command names it.
  assert.equal(await page.locator('.right .problem').count(), 0);
  await shots('lab-refused');
  await text.fill(SEEING);
  await own.getByText('✓ 8 instructions, taken by the verifier as xdp').waitFor();
  assert.equal(await own.locator('.problem').count(), 0);
  assert.equal(await own.locator('.wavy').count(), 0);
  await own.locator('.verdict.ok').waitFor();
  // The context of TC is another one: what was right for XDP reads a number there.
  await page.getByRole('button', { name: 'assembler for TC' }).click();
  await page.getByLabel('Assembler of mine1.tcx.s').fill(SEEING);
  const tc = page.locator('.program-file', { hasText: 'mine1.tcx.s' });
  await tc.locator('.problem', { hasText: /Line 7, instruction 6, as sched_cls: R2 invalid mem access 'scalar'/ }).waitFor();
  await own.locator('.verdict.ok').waitFor();
});

test('an object that a design’s kernel refuses says so with its line of C', async ({ page, url }) => {
  await programs(page, `${url}/lab?s=seed`);
  const object = await readFile(path.join(root, 'content/programs/seed/dynptr.bpf.o'));
  await page.locator('.tools input[type=file]').setInputFiles([{ name: 'dynptr.bpf.o', mimeType: 'application/octet-stream', buffer: object }]);
  const line = page.locator('.programs-list li', { hasText: 'get_tag_dynptr' }).last();
  await line.locator('.verdict').waitFor();
  const words = await line.innerText();
  if (await line.locator('.verdict.bad').count()) assert.match(words, /\.c:\d+.*bpf_dynptr_from_skb_meta/s);
});

test('the scenario’s own programs go to a device and hook by a click, and Undo takes the command away', async ({ page, url, shots }) => {
  await programs(page, `${url}/lab?s=seed`);
  const own = page.locator('.program-file', { hasText: "the scenario's own" }).first();
  const line = own.locator('.programs-list li', { hasText: 'set_tag' }).first();
  await line.getByLabel('Device for set_tag').waitFor();
  const hooks = await line.getByLabel('Hook for set_tag').locator('option').allInnerTexts();
  assert.deepEqual(hooks, ['native', 'generic']);
  const devices = await line.getByLabel('Device for set_tag').locator('option').allInnerTexts();
  assert.deepEqual(devices.toSorted(), ['decap', 'rx', 'tx/encap', 'tx/tx']);
  // The commands attach it already, and say where.
  await line.getByRole('button', { name: /^rx \(xdp\), line \d+$/ }).waitFor();
  await shots('lab-own-programs');
  await page.getByRole('tab', { name: 'Commands' }).click();
  const before = await commands(page).inputValue();
  await page.getByRole('tab', { name: /Programs/ }).click();
  const tag = own.locator('.programs-list li', { hasText: 'get_tag' }).first();
  await tag.getByLabel('Device for get_tag').selectOption('tx/encap');
  await tag.getByLabel('Hook for get_tag').selectOption('egress');
  await tag.getByRole('button', { name: 'Attach' }).click();
  await tag.getByRole('button', { name: /^tx\/encap \(tcx\), line \d+$/ }).click();
  // The line is selected in the commands.
  const text = await commands(page).inputValue();
  const wanted = '# orc tcx get_tag encap egress tx';
  assert.equal(text.split('\n').filter((one) => one === wanted).length, 1, text);
  assert.ok(text.indexOf(wanted) < text.indexOf('ping'), text);
  assert.equal(text.split('\n').filter((one) => one !== wanted).join('\n'), before);
  await page.locator('.topology .dev', { hasText: 'encap' }).getByText('get_tag').waitFor();
  await page.locator('.tools').getByRole('button', { name: 'Undo' }).click();
  assert.equal(await commands(page).inputValue(), before);
});

test('the simulator starts without a warning', async ({ page, url }) => {
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  await programs(page, `${url}/lab?s=seed`);
  await page.getByRole('tab', { name: 'Commands' }).click();
  await commands(page).fill(`${await commands(page).inputValue()}\n# mine`);
  await page.waitForFunction(() => performance.getEntriesByType('resource').some((entry) => /headroom-worker/.test(entry.name)));
  await page.locator('.p-open').getByRole('button', { name: 'get_tag on decap' }).click();
  await page.locator('.p-row').first().waitFor();
  assert.deepEqual(said, []);
});
