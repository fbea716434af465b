// Columns side by side, and files of the reader's.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from './lib/harness.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const RECORDED = '/compare/rec-e2-gre-veth-full?d=mac_header,meta_end,recording:mac_header,recording:meta_end';

async function open(page, address) {
  await page.goto(address);
  await page.locator('.diffbar').waitFor();
  await page.locator('.ribbon .hx').first().waitFor();
}

test('the list of what can be compared', async ({ page, url, shots }) => {
  await page.goto(`${url}/compare`);
  await page.locator('.compare-index li').first().waitFor();
  assert.ok((await page.locator('.compare-index li').count()) >= 13);
  await shots('compare-index');
});

test('two designs: the first difference is where the MAC header moves', async ({ page, url, shots }) => {
  await open(page, `${url}/compare/seed?d=mac_header,meta_end`);
  assert.match(await page.locator('.diffbar p').innerText(), /^\d+ of \d+ steps differ\.$/);
  await page.keyboard.press('f');
  const first = page.url();
  assert.match(first, /at=/);
  await page.locator('.differences tbody tr').first().waitFor();
  await page.keyboard.press(']');
  assert.notEqual(page.url(), first);
  await page.keyboard.press('[');
  assert.equal(page.url(), first);
  await page.goto(`${url}/compare/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231`);
  await page.locator('.differences tbody tr').first().waitFor();
  const read = await page.locator('.differences tbody tr').first().innerText();
  assert.match(read, /the program read\s+524288, garbage\s+42, ok/);
  await shots('compare-seed');
});

test('what is on the screen one below the other follows in the document, too', async ({ page, url }) => {
  await open(page, `${url}/compare/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions`);
  await page.locator('.differences tbody tr').first().waitFor();
  const parts = ['diffbar', 'way', 'stage', 'says', 'differences', 'under', 'panels', 'timeline', 'lead', 'steps'];
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    const [names, tops] = await page.evaluate((parts) => {
      const name = (one) => parts.find((part) => one.classList.contains(part));
      const all = [...document.querySelectorAll(parts.map((part) => `.compare .${part}`).join())];
      const once = all.filter((one, at) => all.findIndex((other) => name(other) === name(one)) === at);
      return [once.map(name), once.map((one) => Math.round(one.getBoundingClientRect().top))];
    }, parts);
    assert.deepEqual(names, parts);
    // What differs begins beside the words, where there is room.
    tops.slice(1).forEach((top, at) => assert.ok(top >= tops[at] - 1, `${names[at + 1]} at ${top}, ${names[at]} at ${tops[at]}, ${width} wide`));
  }
});

for (const designs of ['mac_header,meta_end,skb_ext', 'mac_header,meta_end,skb_ext,traits']) {
  test(`${designs}: the picture is in view at 1280×800, and stepping moves no buffer`, async ({ page, url }) => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await open(page, `${url}/compare/seed?d=${designs}&at=get_tag.exit@decap%231&z=functions`);
    const count = designs.split(',').length;
    await page.locator('.design').nth(count - 1).locator('.region').first().waitFor();
    const places = () => page.evaluate(() => ({
      bar: document.querySelector('.controls').getBoundingClientRect().top,
      cells: [...document.querySelectorAll('.design .ribbon svg')].map((svg) => svg.querySelector('.region rect').getBoundingClientRect().bottom),
    }));
    const { bar, cells } = await places();
    assert.equal(cells.length, count);
    // Two whole buffers and the bytes of a third at the least.
    assert.ok(cells[2] < bar, `the bytes of the third design end at ${cells[2]}, the bar begins at ${bar}`);
    const heard = new Set();
    for (let step = 0; step < 12; step += 1) {
      await page.keyboard.press('ArrowLeft');
      heard.add(await page.locator('.says').innerText());
      const now = (await places()).cells;
      assert.ok(now.every((at, index) => Math.abs(at - cells[index]) < 0.6), `${now} is not ${cells}`);
    }
    assert.ok(heard.size > 3, 'the words did change');
  });
}

test('a recording beside its own design shows nothing in red', async ({ page, url, shots }) => {
  await open(page, `${url}${RECORDED.replace('mac_header,meta_end,recording:mac_header,recording:meta_end', 'mac_header,recording:mac_header')}`);
  assert.match(await page.locator('.diffbar p').innerText(), /^Nothing differs in \d+ steps\.$/);
  await open(page, url + RECORDED);
  assert.equal(await page.locator('.design').count(), 4);
  assert.equal(await page.locator('.differences .wrong').count(), 0);
  assert.equal(await page.locator('.steplist .wrong').count(), 0);
  assert.ok((await page.locator('.steplist tbody tr').count()) > 5);
  await shots('compare-recorded');
});

test('columns are chosen by chips, four at most, and stand in the address', async ({ page, url }) => {
  await open(page, url + RECORDED);
  await page.locator('.chips').getByRole('button', { name: 'kernel · meta_end' }).click();
  assert.match(decodeURIComponent(page.url()), /d=mac_header,meta_end,recording:mac_header&/);
  await page.reload();
  await page.locator('.ribbon .hx').first().waitFor();
  assert.equal(await page.locator('.design').count(), 3);
});

test('the seed leads to the kernel’s own run', async ({ page, url }) => {
  await open(page, `${url}/compare/seed?d=mac_header,meta_end`);
  await page.getByRole('link', { name: "Beside the kernel's own run" }).click();
  await page.waitForFunction(() => document.querySelectorAll('.design').length === 4);
  assert.match(page.url(), /\/compare\/rec-e2-gre-veth-full\?/);
  assert.match(await page.locator('.answers').innerText(), /kernel · mac_header\s*524288/);
});

test('a column that a scenario does not have is said to be missing, and nothing is asked for', async ({ page, url }) => {
  await open(page, `${url}/compare/seed?d=mac_header,meta_end,recording:mac_header`);
  const notice = page.locator('.notice', { hasText: 'There is no recording of this scenario for the column kernel · mac_header.' });
  await notice.waitFor();
  assert.equal(await page.locator('.design').count(), 2);
  await notice.getByRole('button', { name: 'Without it' }).click();
  assert.equal(await page.locator('.notice').count(), 0);
  assert.equal(await page.getByRole('button', { name: 'kernel · mac_header' }).count(), 0);
  assert.doesNotMatch(page.url(), /recording/);
});

test('a recording that is dropped is shown in the stepper', async ({ page, url, shots }) => {
  const name = 'E2-gre-veth-full.mac_header.json';
  const text = await readFile(path.join(root, 'tests/recordings', name), 'utf8');
  await page.goto(`${url}/s`);
  await page.locator('main li').first().waitFor();
  const data = await page.evaluateHandle(({ name, text }) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], name, { type: 'application/json' }));
    return transfer;
  }, { name, text });
  await page.dispatchEvent('body', 'drop', { dataTransfer: data });
  await page.waitForURL(/\/open$/);
  await page.locator('.answer', { hasText: '524288' }).first().click();
  assert.match(await page.locator('.says').innerText(), /524288/);
  await shots('open-recording');
  // A file that is none is refused, and what is open stays.
  const input = page.locator('.open input[type=file]');
  await input.setInputFiles({ name: 'cut.json', mimeType: 'application/json', buffer: Buffer.from(text.slice(0, 5000)) });
  await page.getByRole('alert').waitFor();
  assert.match(await page.getByRole('alert').innerText(), /cut\.json:\d+:\d+: .*Below is still/s);
  assert.match(await page.locator('.says').innerText(), /524288/);
});

test('a file that is no recording is refused with its place', async ({ page, url }) => {
  await page.goto(`${url}/open`);
  const input = page.locator('.open input[type=file]');
  await input.waitFor({ state: 'attached' });
  await input.setInputFiles({ name: 'cut.json', mimeType: 'application/json', buffer: Buffer.from('{\n "schema": ') });
  await page.getByRole('alert').waitFor();
  assert.match(await page.getByRole('alert').innerText(), /cut\.json:2:\d+: EOF/);
});

test('a step is taken along as bytes, Scapy, Markdown and picture', async ({ page, url, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, `${url}/compare/seed?d=mac_header&at=get_tag.exit@decap%231`);
  const copied = async (name) => {
    await page.locator('.takes').getByRole('button', { name }).click();
    await page.locator('.takes', { hasText: 'Copied' }).waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  // The inner packet: IPv4 of 84 bytes, 192.0.2.2 → 192.0.2.1.
  assert.match(await copied('Copy hex'), /^45000054.{16}c0000202c0000201/);
  const scapy = await copied('Copy Scapy');
  assert.match(scapy, /^IP\(version=4, .*src="192\.0\.2\.2"/);
  // At a prompt of Python a second line that begins with `/` would be a mistake.
  assert.doesNotMatch(scapy, /\n/);
  assert.match(await copied('Copy Markdown'), /read 524288/);
  assert.match(await copied('Copy SVG'), /^<svg .*<title>get_tag\.exit@decap#1<\/title>/s);
});

test('what the kernel has otherwise is marked red, and the way to it is one key', async ({ page, url, shots }) => {
  // The recording as the site has it, with one address of the inner packet changed by hand.
  await page.route('**/data/s/rec-e2-gre-veth-full/recording-mac_header.bin', async (route) => {
    const answer = await route.fetch();
    const body = Buffer.from(await answer.body());
    const at = body.indexOf(Buffer.from('c0000202c0000201', 'hex'));
    assert.ok(at > 0, 'the inner packet is in the recording');
    body[at + 7] = 0x63;
    await route.fulfill({ body });
  });
  await open(page, `${url}/compare/rec-e2-gre-veth-full?d=mac_header,recording:mac_header`);
  assert.match(await page.locator('.diffbar p').innerText(), /differ/);
  await page.keyboard.press('f');
  const wrong = page.locator('.differences .wrong');
  await wrong.first().waitFor();
  assert.ok((await page.locator('.steplist .wrong').count()) >= 1);
  const [red, ink] = await wrong.first().locator('code').evaluate((code) => [getComputedStyle(code).color, getComputedStyle(document.body).color]);
  assert.notEqual(red, ink);
  await shots('compare-wrong');
});

test('a field that the kernel had otherwise is marked red, in a table of four columns too', async ({ page, url }) => {
  // The recording as the site has it, with one field changed by hand: what the helper returned to the reader.
  await page.route('**/data/s/rec-e2-gre-veth-full/recording-mac_header.bin', async (route) => {
    const answer = await route.fetch();
    const body = Buffer.from(await answer.body());
    // Each `mac_header` of 294 becomes 293: a varint of postcard, 294 = 0xa6 0x02.
    let changed = 0;
    for (let at = body.indexOf(Buffer.from([0xa6, 0x02])); at > 0; at = body.indexOf(Buffer.from([0xa6, 0x02]), at + 2)) {
      body[at] = 0xa5;
      changed += 1;
    }
    assert.ok(changed > 0, '294 is in the recording');
    await route.fulfill({ body });
  });
  await open(page, url + RECORDED);
  const red = page.locator('.differences tbody tr', { has: page.locator('.wrong') });
  await page.keyboard.press('f');
  for (let n = 0; n < 60 && (await red.count()) === 0; n += 1) await page.keyboard.press(']');
  const told = await red.allInnerTexts();
  assert.ok(told.some((text) => /293/.test(text) && /294/.test(text) && /not as recorded/.test(text)), told.join('; '));
  // Only the design that the recording is of is wrong.
  assert.equal(await red.first().locator('td').nth(1).evaluate((cell) => cell.classList.contains('wrong')), false);
});

test('sentences begin where the pictures begin, and a column has one name on the whole page', async ({ page, url }) => {
  await open(page, url + RECORDED);
  await page.keyboard.press('f');
  const left = (selector) => page.locator(selector).first().evaluate((node) => Math.round(node.getBoundingClientRect().left));
  await page.locator('.say .who').first().waitFor();
  assert.equal(await left('.say .who'), await left('.ribbon'));
  const text = await page.locator('main').innerText();
  assert.doesNotMatch(text, /recording:/);
  assert.match(await page.locator('.bytes, .back').first().innerText(), /kernel · mac_header/);
});

test('the list of steps says which bytes differ and what they are', async ({ page, url }) => {
  await open(page, `${url}/compare/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions`);
  const line = page.locator('.steplist tr', { hasText: 'get_tag.exit@decap#1' });
  await line.waitFor();
  // 0x0800 of the GRE header under mac_header, the tag 42 under meta_end: bytes 290 and 292 are not the same.
  const cells = await line.locator('td').allInnerTexts();
  assert.match(cells[0], /read 524288/);
  assert.match(cells[0], /byte 290: 00, /);
  assert.match(cells[1], /byte 290: 2a, /);
});
