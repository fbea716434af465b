// What the pages of the second module do when something breaks.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const commands = (page) => page.getByRole('textbox', { name: 'Commands' });

async function open(page, address) {
  await page.goto(address);
  await commands(page).waitFor();
  await page.locator('.right .answer').first().waitFor();
}

test('a mistake of the lab itself shows a sentence, keeps the input and offers to reload', { allow: [/./] }, async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  const typed = `${await commands(page).inputValue()}\n# kept`;
  await commands(page).fill(typed);
  await page.waitForTimeout(900);
  // What no browser does: the document makes no nodes, except those that the sentence is made of.
  await page.evaluate(() => {
    const refuse = () => { throw new Error('refused'); };
    Node.prototype.cloneNode = refuse;
    Document.prototype.createElementNS = refuse;
    const create = Document.prototype.createElement;
    Document.prototype.createElement = function (name) {
      return ['div', 'p', 'pre', 'button'].includes(name) ? create.call(this, name) : refuse();
    };
  });
  await page.getByRole('tab', { name: /Packets/ }).click();
  await page.locator('.crash').waitFor();
  assert.match(await page.locator('.crash').innerText(), /mistake of its own/);
  assert.ok((await page.locator('.crash pre').textContent()).endsWith('# kept'));
  await page.locator('.crash button').click();
  // The tab is in the address: it is the same one after the reload.
  await page.getByRole('tab', { name: /Commands/ }).click();
  await commands(page).waitFor();
  assert.equal(await commands(page).inputValue(), typed);
  // It is given back once: no other page finds it.
  assert.equal(await page.evaluate(() => localStorage.getItem('kept-input')), null);
});

for (const [name, break_] of [
  ['blocked', () => Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('blocked', 'SecurityError'); } })],
  ['full', () => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }],
]) {
  test(`a storage that is ${name}: every page works, and the lab says that it keeps nothing`, async ({ page, url }) => {
    await page.addInitScript(break_);
    for (const [address, there] of [['/s', '.catalogue li'], ['/matrix?q=seed', '.cells tbody tr'], ['/compare/seed', '.ribbon .hx'], ['/designs', '.design-page']]) {
      await page.goto(url + address);
      await page.locator(there).first().waitFor();
    }
    await open(page, `${url}/lab?s=seed`);
    await commands(page).fill(`${await commands(page).inputValue()}\n# a remark`);
    await page.locator('.notice', { hasText: 'This browser keeps nothing here' }).waitFor();
    assert.match(await commands(page).inputValue(), /a remark$/);
    await page.getByRole('button', { name: 'Undo' }).click();
    assert.doesNotMatch(await commands(page).inputValue(), /a remark$/);
  });
}

test('a link that is damaged in its middle opens what is whole, and says what is not', async ({ page, url, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, `${url}/lab?s=seed`);
  await page.getByRole('tab', { name: /Packets/ }).click();
  await page.getByRole('button', { name: 'make a packet' }).click();
  // Something that does not compress, so that the damage is in it and not in the commands.
  let seed = 7;
  const noise = Array.from({ length: 3000 }, () => ((seed = (seed * 48_271) % 0x7fffffff) & 0xff).toString(16).padStart(2, '0'));
  await page.getByLabel('As bytes').fill(noise.join(''));
  await page.getByLabel('As bytes').dispatchEvent('change');
  await page.locator('.tools').getByRole('button', { name: 'Copy link' }).click();
  await page.locator('.notice', { hasText: 'clipboard' }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const at = link.length - 1500;
  const other = await context.newPage();
  await other.addInitScript(() => { try { localStorage.removeItem('lab-work'); } catch { /* blocked */ } });
  await other.goto(`${link.slice(0, at)}%${link.slice(at + 1)}`);
  await other.getByRole('tab', { name: /Commands/ }).click();
  await commands(other).waitFor();
  assert.match(await other.locator('.notice').innerText(), /character \d+|damaged|cut off|broken/i);
  assert.match(await commands(other).inputValue(), /ip tun add decap mode gre/);
  // Nothing at all can be read of this one: it says so, and the page is there.
  await other.goto('about:blank');
  await other.goto(`${url}/lab#1!!!!`);
  await commands(other).waitFor();
  assert.match(await other.locator('.notice').innerText(), /can.t be opened: character 2 of the link is “!”/);
});

test('nothing that is typed, dropped or linked becomes HTML', async ({ page, url }) => {
  const evil = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';
  const enc = encodeURIComponent(evil);
  await open(page, `${url}/lab?s=seed&d=${enc}&at=${enc}&run=${enc}`);
  await commands(page).fill(`ip link add rx type ${evil}\n${evil}`);
  await page.locator('.right .problem, .right .skipped, .cl').filter({ hasText: '<img' }).first().waitFor();
  await page.locator('.tools input[type=file]').setInputFiles([
    { name: `${evil.slice(0, 40)}.o`, mimeType: 'application/octet-stream', buffer: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1]) },
    { name: `${evil.slice(0, 40)}.bin`, mimeType: 'application/octet-stream', buffer: Buffer.from(evil) },
  ]);
  await page.locator('.notice', { hasText: '<img' }).waitFor();
  await page.getByRole('tab', { name: /Packets/ }).click();
  await page.getByRole('button', { name: 'make a packet' }).click();
  await page.getByLabel('Name of the packet').fill(evil);
  await page.getByLabel('As layers').fill(evil);
  await page.locator('.packet .problem').waitFor();
  await page.goto(`${url}/matrix?q=${enc}&policy=${enc}&base=${enc}&d=${enc}&v=${enc}`);
  await page.locator('.matrix h1').waitFor();
  await page.goto(`${url}/s?q=${enc}&tag=${enc}`);
  await page.locator('.catalogue h1').waitFor();
  await page.goto(`${url}/open`);
  await page.locator('.open input[type=file]').setInputFiles({ name: `${evil.slice(0, 40)}.json`, mimeType: 'application/json', buffer: Buffer.from(`{"schema": "${evil.replaceAll('"', '')}"}`) });
  await page.getByRole('alert').waitFor();
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.equal(await page.locator('main img, main script').count(), 0);
});

test('a capture or an object that is dropped on any page is taken by the lab', async ({ page, url }) => {
  await page.goto(`${url}/matrix?q=seed`);
  await page.locator('.cells tbody tr').first().waitFor();
  const frame = '020000000001020000000002080045000024222200004001d4b3c0000202c00002010800db85070700016162636465666768';
  const data = await page.evaluateHandle((hex) => {
    const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
    const header = bytes('d4c3b2a1020004000000000000000000000004000100000000000000000000003200000032000000');
    const transfer = new DataTransfer();
    transfer.items.add(new File([header, bytes(hex)], 'one.pcap'));
    return transfer;
  }, frame);
  await page.dispatchEvent('body', 'drop', { dataTransfer: data });
  await page.waitForURL(/\/lab/);
  await page.getByRole('tab', { name: 'Packets 1' }).waitFor();
  assert.match(await page.locator('.packets-list').innerText(), /one\.pcap 1\s+ipv4 \/ icmp\s+50/);
});

// The lab asks for a scenario that there is not.
test('a link to a rule, a design or a scenario that there is not says so', { allow: [/404/] }, async ({ page, url }) => {
  await page.goto(`${url}/spec#HR-NOPE-1`);
  await page.locator('.notice', { hasText: 'There is no rule HR-NOPE-1 here.' }).waitFor();
  assert.ok((await page.locator('.rule').count()) > 10);
  await page.goto(`${url}/spec#HR-END-1`);
  await page.locator('[id="HR-END-1"]').waitFor();
  assert.equal(await page.locator('.notice:not(:empty)').count(), 0);
  await page.goto(`${url}/designs#nope`);
  await page.locator('.notice', { hasText: 'There is no design nope here.' }).waitFor();
  await page.goto(`${url}/designs#meta_end`);
  await page.locator('#meta_end').waitFor();
  await page.waitForTimeout(300);
  assert.equal(await page.locator('.notice:not(:empty)').count(), 0);
  await page.goto(`${url}/lab?s=nope`);
  await page.locator('.notice', { hasText: 'There is no scenario “nope” here: ' }).waitFor();
});

test('a link that names what there is not says so and shows the rest', async ({ page, url }) => {
  const notice = (text) => page.locator('.notice', { hasText: text }).first().waitFor();
  const drawn = () => page.locator('.ribbon .region').first().waitFor();
  await page.goto(`${url}/?stop=nope`);
  await notice('The story has no stop “nope”. This is its beginning.');
  await drawn();
  await page.locator('h1').click();
  await page.keyboard.press('ArrowRight');
  await page.locator('.notice').waitFor({ state: 'detached' });
  await page.goto(`${url}/lab?tab=nope`);
  await notice('The lab has no tab “nope”; these are the commands.');
  await page.goto(`${url}/lab?tab=maps`);
  await page.locator('#tab-Maps[aria-selected="true"]').waitFor();
  assert.equal(await page.locator('.notice', { hasText: 'no tab' }).count(), 0);
  await page.goto(`${url}/s?tag=nope`);
  await notice('No scenario has the tag “nope”.');
  await page.getByRole('button', { name: 'Show without it' }).click();
  await page.locator('.catalogue li').first().waitFor();
  await page.goto(`${url}/s/seed?front=nope&byte=many`);
  await notice('There is no design “nope”');
  await notice('“many” is no offset of a byte.');
  await drawn();
  await page.goto(`${url}/compare/seed?d=mac_header,meta_end,mac_header_6.12,skb_ext,traits`);
  await notice('Of more designs than 4 the first 4 are shown.');
  await page.locator('.design').nth(3).waitFor();
  assert.equal(await page.locator('.design').count(), 4);
});

test('a design of one’s own that cannot be read is said, and the scenario is shown under the others', async ({ page, url }) => {
  await page.goto(`${url}/s/seed?d=custom&policy=on_decap%3Dwishful&at=get_tag.exit@decap%231&z=functions`);
  const notice = page.locator('.notice', { hasText: 'on_decap' });
  await notice.waitFor();
  assert.match(await notice.innerText(), /Policy point on_decap has no value wishful; it takes: keep, move_up, clear\./);
  await page.locator('.verdicts .verdict.bad').waitFor();
  assert.deepEqual(await page.locator('.design .dname').allInnerTexts(), ['mac_header', 'meta_end']);
  assert.match(await page.locator('.where').innerText(), /get_tag on decap, exit/);
});

test('a run that is refused is a sentence with its place, and nothing to step through', async ({ page, url }) => {
  await page.goto(`${url}/s/bridge-vlan?d=mac_header_6.12`);
  const said = page.locator('.stepper .problem');
  await said.waitFor();
  assert.match(await said.innerText(), /There is no run to step through\. Program tag_by_dynptr is refused: this kernel has no bpf_dynptr_from_skb_meta\./);
  assert.equal(await said.locator('code').first().innerText(), 'tag_by_dynptr');
  assert.equal(await page.locator('.controls').isVisible(), false);
  assert.match(await page.locator('.commands .problem').innerText(), /Line \d+: Program tag_by_dynptr/);
  // Another design, and one steps.
  await page.locator('.chips').getByRole('button', { name: 'mac_header', exact: true }).click();
  await page.locator('.controls').waitFor();
  await page.locator('.ribbon .region').first().waitFor();
});
