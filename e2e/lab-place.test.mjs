// What is seen in the lab stands in the address: designs, step, zoom. The topology's devices are buttons.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const commands = (page) => page.getByRole('textbox', { name: 'Commands' });

async function open(page, address) {
  await page.goto(address);
  await commands(page).waitFor();
  await page.locator('.right .answer').first().waitFor();
}

test('designs, step and zoom level are in the address, outlive a reload, and Back goes back', async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  await page.locator('.chips').getByRole('button', { name: 'meta_end', exact: true }).click();
  await page.waitForURL(/\/lab\?s=seed&d=mac_header(&|$)/);
  await page.locator('.right .answer', { hasText: 'get_tag on decap' }).click();
  await page.locator('.path, .way').first().waitFor();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await page.waitForURL(/[?&]at=ip_local_out/);
  const where = await page.locator('.controls .scrub').getAttribute('aria-valuetext');
  assert.match(where, /^step 2 of/);
  await page.reload();
  await page.locator('.right .answer').first().waitFor();
  await page.waitForFunction((wanted) => document.querySelector('.controls .scrub')?.getAttribute('aria-valuetext') === wanted, where);
  assert.equal(await page.locator('.design').count(), 1);
  await page.locator('.chips').getByRole('button', { name: 'meta_end', exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll('.design').length === 2);
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll('.design').length === 1);
  assert.match(page.url(), /d=mac_header(&|$)/);
});

test('the link to a step holds the work too; a second link opens in the same tab', async ({ page, url, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, `${url}/lab?s=seed`);
  const whole = await commands(page).inputValue();
  await commands(page).fill(`${whole}\n# of the first link`);
  await page.locator('.right .answer', { hasText: 'get_tag on decap' }).click();
  await page.locator('h1').click();
  await page.keyboard.press('y');
  await page.locator('.controls', { hasText: 'Copied' }).waitFor();
  const first = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(first, /\/lab\?d=.*at=get_tag\.exit%40decap%231.*#1|\/lab\?d=.*at=get_tag\.exit@decap%231.*#1/);
  await commands(page).fill(whole);
  await page.waitForTimeout(500);
  // The browser only changes the fragment and the query: nothing is loaded anew.
  await page.evaluate((link) => { history.pushState(null, '', link); dispatchEvent(new PopStateEvent('popstate')); }, first);
  await page.waitForFunction(() => document.querySelector('.commands textarea').value.endsWith('# of the first link'));
  assert.equal(await page.locator('.where code').innerText(), 'get_tag on decap, exit');
});

test('a device is a button: its commands, its steps, by mouse and by keyboard; and a table says all that is drawn', async ({ page, url, shots }) => {
  await open(page, `${url}/lab?s=seed`);
  await page.locator('.topology .dev', { hasText: 'decap' }).click();
  const panel = page.getByRole('region', { name: 'Device decap' });
  await panel.waitFor();
  // `ip tun add decap …`, line 7 of the seed mail's commands, is among them.
  const line = panel.locator('li', { hasText: 'ip tun add decap mode gre' });
  await line.getByRole('button', { name: 'Line 7' }).click();
  const selected = await commands(page).evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
  assert.match(selected, /^# ip tun add decap mode gre/);
  await panel.locator('ol').nth(1).getByRole('button').first().click();
  await page.waitForURL(/at=/);
  await page.locator('.topology .dev.now', { hasText: 'decap' }).waitFor();
  await shots('lab-device');
  await page.keyboard.press('Escape');
  const rx = page.locator('.topology .dev', { hasText: '10.0.0.1/24' });
  await rx.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Device rx' }).waitFor();
  assert.equal(await rx.getAttribute('aria-pressed'), 'true');
  await page.keyboard.press('Space');
  assert.equal(await page.locator('.device-panel').count(), 0);
  // The commands of the seed mail, as a table: a wire between rx and tx, the tunnel with its program.
  await page.getByText('The picture as a table').click();
  const row = (name) => page.locator('.as-table tbody tr', { has: page.locator('th', { hasText: new RegExp(`^${name}$`) }) });
  assert.match(await row('rx').innerText(), /where the commands start\s+veth\s+up\s+10\.0\.0\.1\/24\s+set_tag · xdp, get_tag · ingress\s+a wire to tx/);
  assert.match(await row('decap').innerText(), /gre\s+up\s+192\.0\.2\.1\/24\s+get_tag · ingress/);
  // Both echo requests come through the tunnel: `headroom run seed` has the first at gro_cells_receive on decap
  // before the second one is sent. So the device's first step is the first packet's, and the last step the second's.
  const caption = page.locator('.topology figcaption');
  assert.match(await caption.innerText(), /^Packet 1 of 2, its way: encap → tx → rx → decap → /);
  await page.locator('h1').click();
  await page.keyboard.press('End');
  await page.waitForFunction(() => /^Packet 2 of 2, its way: encap → tx → rx → decap → /.test(document.querySelector('.topology figcaption').textContent));
});

test('a mistake in assembler is underlined where it stands', async ({ page, url, shots }) => {
  await open(page, `${url}/lab?s=seed`);
  await page.getByRole('tab', { name: /Programs/ }).click();
  await page.getByRole('button', { name: 'assembler for TC' }).click();
  await page.getByText(/✓ \d+ instructions/).waitFor();
  assert.equal(await page.locator('.program-file .wavy').count(), 0);
  const area = page.getByLabel(/Assembler of/);
  await area.fill('r0 = 0\nr9 = = 1\nexit');
  await page.locator('.program-file .wavy').first().waitFor();
  assert.equal(await page.locator('.program-file .wavy').first().innerText(), '=');
  assert.equal(await page.locator('.program-file .numbers .bad').innerText(), '2');
  assert.equal(await area.getAttribute('aria-invalid'), 'true');
  await shots('lab-assembler');
  await area.fill('r0 = 0\nr9 = 1\nexit');
  await page.getByText('✓ 3 instructions').waitFor();
  assert.equal(await page.locator('.program-file .wavy').count(), 0);
});

test('commands have colours: tools, flags, addresses and names each their own', async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  await commands(page).fill('# ip -n tx addr add 10.0.0.2/24 dev tx\nip link set rx mtu 1400\n## a remark\n');
  await page.locator('.cl', { hasText: 'mtu 1400' }).waitFor();
  const colour = (text) => page.locator('.cl span', { hasText: new RegExp(`^${text}$`) }).first().evaluate((one) => `${getComputedStyle(one).color} ${getComputedStyle(one).fontWeight}`);
  const seen = {};
  for (const text of ['ip', '-n', '10.0.0.2/24', 'tx']) seen[text] = await colour(text);
  seen.plain = await page.locator('.commands .under-text pre').evaluate((one) => `${getComputedStyle(one).color} ${getComputedStyle(one).fontWeight}`);
  assert.equal(new Set(Object.values(seen)).size, 5, JSON.stringify(seen));
  // What is drawn is what is in the field, letter by letter.
  const [drawn, typed] = [await page.locator('.commands .under-text pre').textContent(), await commands(page).inputValue()];
  assert.equal(drawn.trimEnd(), typed.trimEnd());
});

test('while a line can’t be read the picture keeps the way of the last input that worked, in grey', async ({ page, url, shots }) => {
  await open(page, `${url}/lab?s=seed`);
  const caption = page.locator('.topology figcaption');
  const way = await caption.innerText();
  assert.match(way, /its way: encap → tx → rx → decap/);
  const whole = await commands(page).inputValue();
  // Half of the line that makes the pair: the picture does not fall apart while it is typed.
  await commands(page).fill(whole.replace('type veth peer name tx netns tx', 'type ve'));
  await page.locator('.topology.stale').waitFor();
  assert.equal(await caption.innerText(), `${way} The commands can't be run as they are: this is the way of the last input that worked.`);
  assert.equal(await page.locator('.topology .dev').count(), 4);
  assert.match(await page.locator('.topology path.way').getAttribute('d'), /^M.*L/);
  await shots('lab-stale');
  // A line that is read and can't be carried out.
  await commands(page).fill(whole.replace('link set dev rx up', 'link set dev rx9 up'));
  await page.locator('.right .problem').waitFor();
  await page.locator('.topology.stale').waitFor();
  assert.match(await caption.innerText(), /its way: encap → tx → rx → decap.* last input that worked/);
  await commands(page).fill(whole);
  await page.locator('.topology:not(.stale)').waitFor();
  assert.equal(await caption.innerText(), way);
});

test('at 1280 a template is seen whole, and so is each step’s name', async ({ page, url }) => {
  await open(page, `${url}/lab?s=seed`);
  const sizes = await page.evaluate(() => {
    const editor = document.querySelector('.editor.coloured');
    const cut = [...document.querySelectorAll('.right .way .sn')].filter((name) => name.scrollWidth > name.clientWidth + 1 || getComputedStyle(name).opacity === '0');
    return { inside: editor.scrollHeight, shown: editor.clientHeight, cut: cut.map((name) => name.textContent), steps: document.querySelectorAll('.right .way .sn').length };
  });
  assert.ok(sizes.inside <= sizes.shown + 1, `${sizes.shown} of ${sizes.inside} pixels`);
  assert.ok(sizes.steps > 8);
  assert.deepEqual(sizes.cut, []);
  // A caret stands where its letter is drawn, also behind the edge of the field: both are of one width.
  const long = `# ${'ip link set dev rx up '.repeat(12)}`;
  await commands(page).fill(long);
  await page.waitForFunction(() => {
    const [area, text] = ['textarea', 'pre'].map((name) => document.querySelector(`.under-text ${name}`));
    return text.clientWidth > 1000 && area.clientWidth === text.clientWidth && area.scrollWidth <= area.clientWidth;
  });
});
