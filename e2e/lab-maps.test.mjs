// Maps as their BTF types have them: shown and changed number by number.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from './lib/harness.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

test('a key and a value of many types are put in by their fields, and seen by them after the run', async ({ page, url, shots }) => {
  await page.goto(`${url}/lab?s=seed`);
  const commands = page.getByRole('textbox', { name: 'Commands' });
  await commands.waitFor();
  await page.locator('.right .answer').first().waitFor();
  const object = await readFile(path.join(root, 'crates/core/tests/programs/typed_maps.bpf.o'));
  await page.locator('.tools input[type=file]').setInputFiles([{ name: 'typed_maps.bpf.o', mimeType: 'application/octet-stream', buffer: object }]);
  const line = page.locator('.programs-list li', { hasText: 'typed' });
  await line.getByLabel('Device for typed').selectOption('tx/tx');
  await line.getByRole('button', { name: 'Attach' }).click();
  await page.getByRole('tab', { name: 'Maps' }).click();
  const flows = page.locator('.maps article', { has: page.locator('h3', { hasText: 'flows' }) });
  await flows.waitFor();
  // The key that the program looks up: netns 1, port 80, 127.0.0.1.
  await flows.getByLabel('netns in the key of flows').fill('1');
  await flows.getByLabel('from.port in the key of flows').fill('80');
  await flows.getByLabel('from.v4 in the key of flows').fill('0x0100007f');
  await flows.getByLabel('delta in the value of flows').fill('5000000000');
  await flows.getByRole('button', { name: 'Put in before the run' }).click();
  assert.match(await flows.getByRole('alert').innerText(), /Value: delta: 5000000000 does not fit into 32 signed bits\./);
  await flows.getByLabel('delta in the value of flows').fill('-1');
  await flows.getByLabel('dev in the value of flows').fill('"eth0"');
  await flows.getByLabel('up in the value of flows').fill('true');
  await flows.getByRole('button', { name: 'Put in before the run' }).click();
  // The program takes 3 from delta and adds 1 to packets at each packet that reaches tx: -1 - 3 n and n.
  const value = flows.locator('tbody tr').first();
  await value.locator('.leaf', { hasText: 'packets' }).first().waitFor();
  const told = await value.locator('.leaf').allInnerTexts();
  const of = (name) => told.find((text) => text.startsWith(`${name} `))?.slice(name.length + 1);
  const packets = Number(of('packets'));
  assert.ok(packets > 0, told.join(', '));
  assert.equal(of('delta'), String(-1 - 3 * packets));
  assert.equal(of('dev'), '"eth0"');
  assert.equal(of('up'), 'true');
  assert.equal(of('from.v4'), '16777343');
  await shots('lab-maps-typed');
  // What stands there begins the next change: only the field that is changed is another.
  await flows.getByRole('button', { name: /Change the entry/ }).click();
  assert.equal(await flows.getByLabel('from.port in the key of flows').inputValue(), '80');
  await flows.getByLabel('packets in the value of flows').fill('1000');
  await flows.getByRole('button', { name: 'Put in before the run' }).click();
  await value.locator('.leaf', { hasText: `packets ${1000 + packets}` }).waitFor();
  await page.getByRole('tab', { name: 'Commands' }).click();
  assert.equal((await commands.inputValue()).split('\n').filter((line) => line.includes('map update name flows')).length, 1);
  // Global variables: limit 7, drift -2.
  await page.getByRole('tab', { name: 'Maps' }).click();
  const data = page.locator('.maps article', { has: page.locator('h3', { hasText: '.data' }) });
  await data.locator('.leaf').nth(1).waitFor();
  assert.deepEqual(await data.locator('.leaf').allInnerTexts(), ['limit 7', 'drift -2']);
});

test('a map of 200 entries is shown whole, after the run and in the program pane', async ({ page, url, shots }) => {
  // `ports` of the object has room for 256; the program counts the port 4789 (0x12b5) of each UDP packet that comes.
  const object = await readFile(path.join(root, 'tests/objects/built/parse.o'));
  const le = (value, bytes) => Array.from({ length: bytes }, (_, at) => (Math.floor(value / 256 ** at) % 256).toString(16).padStart(2, '0')).join(' ');
  const entry = (port) => `bpftool map update name ports key hex ${le(port, 2)} value hex ${le(port % 200, 8)}`;
  const ports = Array.from({ length: 199 }, (_, at) => 1000 + at);
  const udp = `${'02'.repeat(12)}0800${'4500002400000000401100000a0000020a000001'}${'03e812b500100000'}${'00'.repeat(8)}`;
  await page.goto(`${url}/lab`);
  const commands = page.getByRole('textbox', { name: 'Commands' });
  await commands.waitFor();
  await page.locator('.right .answer').first().waitFor();
  await page.locator('.tools input[type=file]').setInputFiles([{ name: 'parse.o', mimeType: 'application/octet-stream', buffer: object }]);
  await page.getByRole('tab', { name: 'Programs 1' }).waitFor();
  await page.getByRole('tab', { name: 'Commands' }).click();
  await commands.fill(['ip link add rx type veth peer name tx', 'ip link set rx up', 'ip link set tx up', 'orc xdp parse rx native', ...ports.map(entry), `orc send tx ${udp}`].join('\n'));
  await page.getByRole('tab', { name: 'Maps' }).click();
  const map = page.locator('.maps article', { has: page.locator('h3', { hasText: 'ports' }) });
  await map.locator('tbody tr').nth(199).waitFor();
  const rows = await map.locator('tbody tr').evaluateAll((all) => all.map((row) => row.textContent));
  assert.equal(rows.length, 200);
  for (const port of [...ports, 4789]) assert.ok(rows.some((row) => row.includes(`${port}`)), `${port}`);
  assert.match(await map.locator('.hint').last().innerText(), /When the run was over:/);
  await shots('lab-maps-200');
  await page.locator('.p-open button', { hasText: 'parse on rx' }).click({ timeout: 60_000 });
  await page.locator('.p-list .p-row').first().waitFor({ timeout: 60_000 });
  const held = page.locator('.p-map', { hasText: 'ports' });
  await held.locator('tr').nth(198).waitFor();
  const keys = await held.locator('tr th').allInnerTexts();
  // The program has not run yet: what was put in, and nothing is said to be missing.
  assert.deepEqual(keys.slice().sort(), ports.map((port) => le(port, 2).replace(' ', '')).sort());
  assert.equal(await held.getByText(/more$/).count(), 0);
  await page.locator('.p-list').last().focus();
  await page.keyboard.press('End');
  await held.locator('tr.now').or(held.locator('tr').nth(199)).first().waitFor();
  assert.equal(await held.locator('tr').count(), 200);
});
