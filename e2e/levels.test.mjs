// The stepper's closest level (each write of a step), the diff to the step before, two packets over one buffer,
// where playing stops, the timeline's clicks, rules in the call chain, and the sheet of keys everywhere.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

async function open(page, address) {
  await page.goto(address);
  await page.locator('.controls').waitFor();
  await page.locator('.ribbon svg .hx:not(:empty)').first().waitFor();
}

const where = (page) => page.locator('.where code').innerText();
const sentence = (page) => page.locator('.says').innerText();

/** What the byte grid says of a byte, as a screen reader hears it. */
async function byte(page, offset) {
  await page.locator(`[data-offset="${offset}"]`).focus();
  return page.locator(`[data-offset="${offset}"]`).getAttribute('aria-label');
}

test('the third level shows each write of a step, with the bytes as they are in between', async ({ page, url, shots }) => {
  await open(page, `${url}/s/tap-gre?d=mac_header&z=functions`);
  await page.keyboard.press('Home');
  const step = await where(page);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  assert.equal(await page.getByRole('button', { name: 'writes', exact: true }).getAttribute('aria-pressed'), 'true');
  assert.match(page.url(), /z=writes/);
  // The same moment as before; its writes stand in front of it.
  assert.equal(await where(page), step);
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.equal(await where(page), `${step}, write 3`);
  // GRE (RFC 2784): no flags, protocol 0x0800. It lies behind Ethernet (14) and IPv4 (20), which begin at 2.
  assert.match(await sentence(page), /write 3 of \d+: four bytes at 36–39\. They were 00 00 00 00 and are 00 00 08 00\./);
  assert.equal(await byte(page, 38), 'byte 38: 08, GRE header');
  assert.equal(await byte(page, 40), 'byte 40: 00, unwritten', 'the inner IPv4 header is not there yet');
  await shots('writes');
  await page.locator('h1').click();
  // The write has an address, and it is a step to go back to.
  // The address is written a quarter of a second after a step.
  await page.waitForTimeout(300);
  const link = page.url();
  await page.keyboard.press('ArrowUp');
  assert.equal(await where(page), step);
  assert.match(await byte(page, 40), /^byte 40: 45, IPv4 /, 'version 4, five words');
  await open(page, link);
  assert.equal(await where(page), `${step}, write 3`);
  // Each write has a mark of its own in the timeline.
  const marks = await page.locator('.marks .w').first().getAttribute('d');
  assert.ok(marks.split('M').length > 6, marks);
});

test('the diff lists bytes and fields that are others than at the step before', async ({ page, url, shots }) => {
  await open(page, `${url}/s/seed?d=mac_header,meta_end&at=set_tag.exit@rx%232&z=functions`);
  await page.locator('h1').click();
  await page.keyboard.press('x');
  const rows = () => page.locator('.changes tbody tr').evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent.trim())));
  // 42 is 2a 00 00 00; where it goes there were zeros.
  assert.deepEqual(await rows(), [['252', '00', '2a']]);
  assert.equal(await page.locator('.bytes .scroll').isVisible(), false);
  await shots('changes');
  // GRE's 00 00 08 00 becomes 2a 00 00 00, and the end of the metadata goes from 256 to 294.
  await open(page, `${url}/s/seed?d=meta_end&at=bpf_skb_meta_realign.exit@decap%231&z=functions`);
  await page.locator('.bytes').getByRole('button', { name: 'changes' }).click();
  assert.deepEqual((await rows()).filter(([what]) => what !== 'metadata'), [['290', '00', '2a'], ['292', '08', '00'], ['meta_end', '256', '294']]);
  await page.locator('.bytes').getByRole('button', { name: 'changes' }).click();
  assert.equal(await page.locator('.bytes .scroll').isVisible(), true);
});

test('a clone is drawn as a second packet over the same buffer, and is in the text', async ({ page, url, shots }) => {
  await open(page, `${url}/s/tap-gre?d=meta_end&at=tag_by_pointer.exit@decap%231&z=functions`);
  // The tap's clone was made on rx with the Ethernet header in front: data 256, and its end is the packet's.
  assert.match(await page.locator('.twins text').textContent(), /^packet 3 · .*data 256 · mac_header 256 · network_header 270 .*tail 346$/);
  await page.getByText('The picture as text').click();
  await page.locator('.text-view td', { hasText: 'data of packet 3, in the same buffer' }).waitFor();
  await shots('twins');
  await page.locator('h1').click();
  await page.keyboard.press('Home');
  assert.equal(await page.locator('.twins text').count(), 0);
  // Who writes gets a buffer of its own first: then there is no other packet in it.
  await open(page, `${url}/s/tap-write?d=mac_header&at=pskb_expand_head.exit@rx%231&z=functions`);
  assert.equal(await page.locator('.twins text').count(), 0);
});

test('playing stops at an instruction, a field, a byte, a function that is marked', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=instructions`);
  const field = page.getByLabel('Find in the run');
  const line = page.locator('.code:visible li', { hasText: '*(u32 *)' }).locator('button');
  const number = await line.innerText();
  await line.click();
  assert.equal(await field.inputValue(), `instruction ${number} of get_tag`);
  assert.equal(await line.getAttribute('aria-pressed'), 'true');
  await page.locator('h1').click();
  await page.keyboard.press('Home');
  await page.keyboard.press('n');
  assert.equal(await where(page), `get_tag on rx, instruction ${number}`);
  await page.locator('.fields').getByRole('button', { name: 'mac_header' }).click();
  assert.equal(await field.inputValue(), 'change of mac_header');
  await page.locator('[data-offset="252"]').click();
  await page.locator('h1').click();
  await page.keyboard.press('b');
  assert.equal(await field.inputValue(), 'write to byte 252');
  await page.keyboard.press('b');
  assert.equal(await field.inputValue(), '');
});

test('the timeline goes where one clicks, and a function of the call chain has its file and its rule', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=ip_tunnel_rcv.entry@rx%232&z=functions`);
  const call = page.locator('.calls li', { hasText: 'ip_tunnel_rcv' });
  assert.equal(await call.locator('.file').innerText(), 'net/ipv4/ip_tunnel.c');
  assert.match(await call.locator('a').getAttribute('href'), /^\/spec#HR-DECAP-[23]$/);
  // The only wrong read of the run is get_tag's on decap; its mark is where the path says.
  const bad = page.locator('.timeline .bad').first();
  const [row, rows] = await bad.evaluate((path) => [Number(/M(\d+)/.exec(path.getAttribute('d'))[1]), Number(path.ownerSVGElement.getAttribute('viewBox').split(' ')[2])]);
  await page.locator('.timeline').evaluate((timeline) => timeline.scrollIntoView({ block: 'center' }));
  const box = await page.locator('.lane.marks .track').first().boundingBox();
  await page.mouse.click(box.x + ((row + 0.5) / rows) * box.width, box.y + 9);
  assert.equal(await where(page), 'get_tag on decap, exit');
  await page.locator('.lane.programs .track').hover({ position: { x: ((row + 0.5) / rows) * box.width, y: 9 } });
  assert.equal(await page.locator('.lane.programs .track').getAttribute('title'), 'get_tag');
});

test('beside a program stand the functions down to its hook, the program, and the helper it has called', async ({ page, url }) => {
  const chain = () => page.locator('.program .calls li code').allInnerTexts();
  const hook = async (address, ends) => {
    await open(page, `${url}/s/seed?d=meta_end&at=${address}&z=instructions`);
    const all = await chain();
    assert.deepEqual(all.slice(-ends.length), ends);
    assert.equal(await page.locator('.program .calls li.on code').innerText(), ends.at(-1));
    return all;
  };
  // net/core/dev.c: the hook of TC ingress is in __netif_receive_skb_core(), that of XDP on veth in veth_xdp_rcv_skb().
  const at = await hook('get_tag.6@decap%231', ['__netif_receive_skb_core', 'get_tag']);
  assert.deepEqual(await hook('get_tag.exit@decap%231', at), at);
  assert.deepEqual(await hook('get_tag.entry@decap%231', at), at);
  await hook('set_tag.1@rx%231', ['veth_xdp_rcv_skb', 'set_tag']);
  await hook('bpf_xdp_adjust_meta.entry@rx%231', ['veth_xdp_rcv_skb', 'set_tag', 'bpf_xdp_adjust_meta']);
  await page.locator('.program .calls button', { hasText: 'veth_xdp_rcv_skb' }).click();
  assert.equal(await where(page), 'veth_xdp_rcv_skb on rx, entry');
});

test('the sheet of keys opens on start page and rules too', async ({ page, url }) => {
  for (const [address, there] of [['/', '.told h2'], ['/spec', '.rule'], ['/embed?s=seed', '.controls']]) {
    await page.goto(url + address);
    await page.locator(`#app ${there}`).first().waitFor();
    await page.keyboard.press('?');
    await page.locator('dialog#keys[open]').waitFor();
    assert.match(await page.locator('dialog#keys').innerText(), /look closer/);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('dialog.sheet[open]').count(), 0);
  }
});
