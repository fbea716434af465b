// Files of the reader's that are not what they should be, and names in them that would be HTML.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { test } from './lib/harness.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const RECORDING = path.join(root, 'tests/recordings/E2-gre-veth-full.mac_header.json');
const commands = (page) => page.getByRole('textbox', { name: 'Commands' });

/** Drops files on the page, as a hand does. */
async function drop(page, files) {
  const data = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const [name, base64] of files) {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    return transfer;
  }, files.map(([name, buffer]) => [name, Buffer.from(buffer).toString('base64')]));
  await page.dispatchEvent('body', 'drop', { dataTransfer: data });
}

test('a recording in which an event has lost its packet, device or namespace is refused by event and field; what is shown stays', async ({ page, url }) => {
  const text = await readFile(RECORDING, 'utf8');
  await page.goto(`${url}/open`);
  await page.locator('.open h1').waitFor();
  await drop(page, [['whole.json', text]]);
  await page.locator('.answer', { hasText: '524288' }).first().click();
  const said = await page.locator('.says').innerText();
  const address = page.url();
  const without = async (name, change) => {
    const json = JSON.parse(text);
    change(json.events);
    await drop(page, [[name, JSON.stringify(json)]]);
    await page.getByRole('alert').filter({ hasText: name }).waitFor();
    assert.equal(await page.getByRole('alert').count(), 1);
    assert.equal(await page.locator('.says').innerText(), said);
    assert.equal(page.url(), address);
    return page.getByRole('alert').innerText();
  };
  const skb = await without('no-skb.json', (events) => { delete events[6].skb; });
  assert.match(skb, /no-skb\.json: Event 7, field skb: it is missing or null, expected the number of the packet\./);
  assert.match(skb, /Below is still/);
  // What stands in back-quotes is code, in what is refused and in what is left out.
  await without('no-skb.json', (events) => { delete events[6].skb; });
  assert.deepEqual(await page.getByRole('alert').locator('code').allInnerTexts(), ['skb']);
  await drop(page, [['whole.json', text], ['note.json', '{"a": 1}']]);
  await page.locator('.notice', { hasText: 'note.json' }).waitFor();
  assert.deepEqual(await page.locator('.notice code').allInnerTexts(), ['schema', 'headroom-recording/1', 'headroom-trace/1']);
  assert.doesNotMatch(await page.locator('main').innerText(), /`/);
  const netns = await without('no-netns.json', (events) => { for (const event of events) delete event.netns; });
  assert.match(netns, /Event 1, field netns: it is missing, but the set-up has encap in namespace tx only\./);
  const dev = await without('no-dev.json', (events) => { for (const event of events) if (event.prog) delete event.dev; });
  assert.match(dev, /Event \d+, field dev: it is missing/);
});

test('a trace file is shown in the stepper like a recording', async ({ page, url }) => {
  // What `headroom run --format json` prints: docs/cli.md. The events are the recording's own.
  const recording = JSON.parse(await readFile(RECORDING, 'utf8'));
  const reads = recording.reads.map(({ program, hook, after_seq, how, value }) => ({
    program, hook, after_seq, how, value, verdict: value === '2a000000' ? 'ok' : 'garbage', offset: value === '2a000000' ? 252 : 290,
  }));
  const trace = { schema: 'headroom-trace/1', scenario: 'mine', design: 'mac_header', events: recording.events, reads };
  await page.goto(`${url}/`);
  await page.locator('#app .ribbon .hx').first().waitFor();
  await drop(page, [['run.json', JSON.stringify(trace)]]);
  await page.waitForURL(/\/open$/);
  await page.locator('h2.opened', { hasText: 'A run of mine under mac_header' }).waitFor();
  await page.locator('.answer', { hasText: '524288' }).first().click();
  assert.match(await page.locator('.says').innerText(), /get_tag on decap read 524288/);
  const row = () => page.locator('.where .n').innerText();
  const at = await row();
  await page.locator('h2.opened').click();
  await page.keyboard.press('ArrowLeft');
  assert.notEqual(await row(), at);
});

test('what headroom run prints of several designs is shown as so many columns', async ({ page, url }) => {
  const run = async (design) => {
    const recording = JSON.parse(await readFile(path.join(root, `tests/recordings/E2-gre-veth-full.${design}.json`), 'utf8'));
    const reads = recording.reads.map(({ program, hook, after_seq, how, value }) => ({ program, hook, after_seq, how, value, verdict: value === '2a000000' ? 'ok' : 'garbage', offset: 252 }));
    return JSON.stringify({ schema: 'headroom-trace/1', scenario: 'mine', design, events: recording.events, reads });
  };
  await page.goto(`${url}/open`);
  await page.locator('.open h1').waitFor();
  await drop(page, [['both.json', `${await run('mac_header')}\n${await run('meta_end')}\n`]]);
  await page.locator('h2.opened', { hasText: 'Runs of mine' }).waitFor();
  assert.equal(await page.locator('.design').count(), 2);
  assert.match(await page.locator('.answers').innerText(), /get_tag on decap\s+mac_header\s*524288 ✗\s+meta_end\s*42 ✓/);
});

test('Back and Forward lead to an opened file again, at its step; no link promises it to others', async ({ page, url, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(`${url}/compare`);
  await page.locator('.compare-index li').first().waitFor();
  await drop(page, [['mine.json', await readFile(RECORDING, 'utf8')]]);
  await page.locator('.answer', { hasText: '524288' }).first().click();
  const said = await page.locator('.says').innerText();
  await page.locator('h2.opened').click();
  await page.keyboard.press('y');
  await page.waitForFunction(async (wanted) => (await navigator.clipboard.readText()) === wanted, `${url}/open`);
  await page.goBack();
  await page.locator('.compare-index li').first().waitFor();
  await page.goForward();
  await page.locator('.says').waitFor();
  assert.equal(await page.locator('.says').innerText(), said);
});

test('an object that is dropped on the lab brings its programs; those of two objects run on one packet', async ({ page, url }) => {
  await page.goto(`${url}/lab`);
  await commands(page).waitFor();
  await page.locator('.right .answer').first().waitFor();
  const object = await readFile(path.join(root, 'content/programs/seed/progs.bpf.o'));
  await drop(page, [['mine.bpf.o', object], ['two.bpf.o', await readFile(path.join(root, 'content/programs/seed/dynptr.bpf.o'))]]);
  await page.getByRole('tab', { name: 'Programs 2' }).waitFor();
  await page.getByRole('tab', { name: /Commands/ }).click();
  const frame = '02'.repeat(12) + '0800' + '45'.repeat(50);
  await commands(page).fill(`ip link add rx type veth peer name tx\nip link set rx up\nip link set tx up\norc xdp set_tag rx native\norc tcx get_tag_dynptr rx ingress\norc send tx ${frame}`);
  // set_tag of the first object writes 42, get_tag_dynptr of the second one reads it.
  await page.locator('.right .answer').filter({ hasText: 'get_tag_dynptr on rx' }).filter({ hasText: '42' }).waitFor();
});

test('five objects that are dropped together are all there, in their order', async ({ page, url }) => {
  await page.goto(`${url}/compare`);
  await page.locator('.compare-index li').first().waitFor();
  const all = ['seed/progs', 'seed/dynptr'].map((name) => path.join(root, `content/programs/${name}.bpf.o`));
  const more = ['typed_maps', 'functions', 'text_alone'].map((name) => path.join(root, `crates/core/tests/programs/${name}.bpf.o`));
  const names = [...all, ...more].map((file) => path.basename(file));
  assert.deepEqual(names, ['progs.bpf.o', 'dynptr.bpf.o', 'typed_maps.bpf.o', 'functions.bpf.o', 'text_alone.bpf.o']);
  await drop(page, await Promise.all([...all, ...more].map(async (file) => [path.basename(file), await readFile(file)])));
  await page.waitForURL(/\/lab/);
  await page.getByRole('tab', { name: 'Programs 5' }).waitFor();
  const shown = (await page.locator('.left [role=tabpanel]').innerText()).match(/\w+\.bpf\.o/g);
  assert.deepEqual([...new Set(shown)].filter((name) => names.includes(name)), names);
  assert.equal(await page.locator('.notice').count(), 0);
});

test('files that are dropped together go where they belong by what they are, and what is left out is named', async ({ page, url }) => {
  const object = await readFile(path.join(root, 'content/programs/seed/progs.bpf.o'));
  const capture = Buffer.concat([Buffer.from('d4c3b2a1020004000000000000000000000004000100000000000000000000000e0000000e000000', 'hex'), Buffer.alloc(14, 2)]);
  const [one, two] = await Promise.all(['E2-gre-veth-full.mac_header', 'E2-gre-veth-full.meta_end'].map(named));
  // No name ends as its file is: the first one's leads to the other page, which hands on all of them.
  await page.goto(`${url}/compare`);
  await page.locator('.compare-index li').first().waitFor();
  await drop(page, [['a.json', object], ['b.json', capture]]);
  await page.waitForURL(/\/lab/);
  await page.getByRole('tab', { name: 'Packets 1' }).waitFor();
  await page.getByRole('tab', { name: 'Programs 1' }).waitFor();
  await page.goto(`${url}/compare`);
  await page.locator('.compare-index li').first().waitFor();
  await drop(page, [['a.pcap', one[1]], ['b.o', two[1]]]);
  await page.waitForURL(/\/open$/);
  await page.locator('.design').nth(1).waitFor();
  // Of both kinds: the page where they are dropped takes its own, whatever comes first.
  await drop(page, [['c.bpf.o', object], one, ['d.pcap', capture]]);
  await page.locator('.notice', { hasText: 'c.bpf.o' }).waitFor();
  assert.equal(
    await page.locator('.notice').innerText(),
    'c.bpf.o is left out: it is no recording. Dropped by itself it goes to the lab. d.pcap is left out: it is no recording. Dropped by itself it goes to the lab.',
  );
  assert.equal(await page.locator('.design').count(), 1);
  await page.goto(`${url}/lab`);
  await commands(page).waitFor();
  await page.locator('.right .answer').first().waitFor();
  await drop(page, [one, ['c.bpf.o', object], ['d.pcap', capture]]);
  await page.getByRole('tab', { name: 'Packets 2' }).waitFor();
  await page.getByRole('tab', { name: 'Programs 2' }).waitFor();
  assert.equal(await page.locator('.notice p').innerText(), `${one[0]} is left out: it looks like a recording or a trace. Dropped by itself it is opened.`);
  assert.match(page.url(), /\/lab/);
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

// The link names a scenario that there is not.
test('names inside of objects, recordings and links are text', { allow: [/404/] }, async ({ page, url }) => {
  const evil = '<img src=x onerror="window.ran=1">';
  const clean = async () => {
    assert.equal(await page.evaluate(() => window.ran), undefined);
    assert.equal(await page.locator('main img, main script').count(), 0);
  };
  // An object whose program, section and map strings are tags: seven bytes for seven.
  const object = await readFile(path.join(root, 'content/programs/seed/progs.bpf.o'));
  const named = Buffer.from(object);
  let changed = 0;
  for (let at = named.indexOf('get_tag'); at >= 0; at = named.indexOf('get_tag', at + 7)) {
    named.write('<img x>', at, 'latin1');
    changed += 1;
  }
  assert.ok(changed > 0, 'the name is in the object');
  await page.goto(`${url}/lab?s=seed`);
  await commands(page).waitFor();
  await page.locator('.right .answer').first().waitFor();
  await drop(page, [['evil.bpf.o', named]]);
  await page.getByRole('tab', { name: /Programs/ }).click();
  await page.locator('.left, .notice').filter({ hasText: '<img x>' }).first().waitFor();
  await clean();
  // A recording whose title, devices and programs are tags.
  const recording = JSON.parse((await readFile(RECORDING, 'utf8')).replaceAll('"rx"', JSON.stringify(evil)).replaceAll('get_tag', '<b>tag</b>'));
  recording.title = evil;
  recording.setup = [];
  await page.goto(`${url}/open`);
  await page.locator('.open h1').waitFor();
  await drop(page, [['evil.json', JSON.stringify(recording)]]);
  await page.locator('h2.opened', { hasText: '<img' }).waitFor();
  await page.locator('.answer').first().click();
  await page.locator('.answer', { hasText: '<b>tag</b>' }).first().waitFor();
  await page.getByText('The picture as text').click();
  await page.locator('.says').hover();
  await clean();
  // A link whose every section is a tag.
  await page.goto('about:blank');
  await page.goto(`${url}/lab#${link([[1, evil], [2, `ip link add ${evil} type veth`], [3, `at=${evil}`], [4, evil]])}`);
  await commands(page).waitFor();
  assert.match(await commands(page).inputValue(), /<img src=x/);
  await page.locator('.right .problem', { hasText: '<img' }).or(page.locator('.notice', { hasText: '<img' })).first().waitFor();
  await clean();
});

const named = async (name) => [`${name}.json`, await readFile(path.join(root, `tests/recordings/${name}.json`), 'utf8')];

test('of several dropped files the runs of one scenario stand side by side, and what is left out is named', async ({ page, url }) => {
  await page.goto(`${url}/`);
  await page.locator('#app .ribbon .region').first().waitFor();
  const [one, two, other] = await Promise.all(['E2-gre-veth-full.mac_header', 'E2-gre-veth-full.meta_end', 'E1-veth-0b-native.mac_header'].map(named));
  await drop(page, [one, two, other, ['note.json', '{"a": 1}'], ['prog.o', '\x7fELF']]);
  await page.locator('.design').nth(1).waitFor();
  assert.deepEqual(await page.locator('.design .dname').allInnerTexts(), ['mac_header', 'meta_end']);
  const said = await page.locator('.notice').innerText();
  assert.match(said, /E1-veth-0b-native\.mac_header\.json is left out: it is no run of the same scenario under another design\./);
  assert.match(said, /Left out: note\.json/);
  assert.match(said, /prog\.o is left out: it is no recording\. Dropped by itself it goes to the lab\./);
  // The same design twice is no second column.
  await drop(page, [one, ['again.json', one[1]]]);
  await page.locator('.notice', { hasText: 'again.json is left out' }).waitFor();
  assert.equal(await page.locator('.design').count(), 1);
});

test('an opened file is there after a reload, at its step, until it is closed', async ({ page, url }) => {
  await page.goto(`${url}/open`);
  await page.locator('.open h1').waitFor();
  await drop(page, [await named('E2-gre-veth-full.mac_header')]);
  await page.locator('.answer', { hasText: '524288' }).first().click();
  const [said, where] = [await page.locator('.says').innerText(), await page.locator('.where').innerText()];
  await page.reload();
  await page.locator('.ribbon .region').first().waitFor();
  assert.deepEqual([await page.locator('.says').innerText(), await page.locator('.where').innerText()], [said, where]);
  await page.getByRole('button', { name: 'Close it' }).click();
  await page.locator('.drop').waitFor();
  await page.reload();
  await page.locator('.drop').waitFor();
  await page.waitForTimeout(500);
  assert.equal(await page.locator('.design').count(), 0);
});

test('a browser that keeps no files opens them all the same, and says so', async ({ page, url }) => {
  await page.addInitScript(() => { Object.defineProperty(window, 'caches', { get() { throw new DOMException('no', 'SecurityError'); } }); });
  await page.goto(`${url}/open`);
  await page.locator('.open h1').waitFor();
  await drop(page, [await named('E2-gre-veth-full.mac_header')]);
  await page.locator('.notice', { hasText: 'This browser keeps no files: after a reload it has to be opened again.' }).waitFor();
  await page.locator('.ribbon .region').first().waitFor();
});
