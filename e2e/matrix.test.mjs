// Scenarios × designs, and the workshop.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from './lib/harness.mjs';

async function open(page, address) {
  await page.goto(address);
  await page.locator('.cells tbody tr').first().waitFor();
}

const rowOf = (page, id) => page.locator('.cells tbody tr', { has: page.locator(`a[href="/s/${id}"]`) });

// Pictures of a table with 1,400 cells, six of them.
const PICTURES = { timeout: 360_000 };

test('each cell says what became of the metadata and leads to the step that decided', PICTURES, async ({ page, url, shots }) => {
  await open(page, `${url}/matrix`);
  assert.equal(await page.locator('.cells thead th').count(), 15);
  const row = rowOf(page, 'seed');
  const cells = await row.locator('td').allInnerTexts();
  assert.match(cells[0], /✗ 524288 garbage/);
  assert.match(cells[1], /✓ 42 ok/);
  await shots('matrix');
  await row.locator('td a').first().click();
  await page.locator('.controls').waitFor();
  assert.match(page.url(), /\/s\/seed\?d=mac_header&at=/);
  assert.equal(await page.locator('.notice').count(), 0, await page.locator('.notice').allInnerTexts());
  await page.goBack();
  await page.locator('.cells tbody tr').first().waitFor();
});

test('a cell of a design without files leads to its step too, simulated in the page', async ({ page, url }) => {
  await open(page, `${url}/matrix?d=memmove_on_decap`);
  const cell = rowOf(page, 'seed').locator('td a').first();
  assert.match(await cell.innerText(), /✓ 42 ok/);
  await cell.click();
  await page.locator('.answer', { hasText: '42' }).first().waitFor();
  assert.match(page.url(), /\/s\/seed\?d=memmove_on_decap&at=/);
  assert.equal(await page.locator('.notice').count(), 0, await page.locator('.notice').allInnerTexts());
  // A third column comes beside it, from a file, and a fourth that is simulated.
  await page.locator('.chip', { hasText: /^mac_header$/ }).click();
  await page.locator('.answer', { hasText: '524288' }).first().waitFor();
  await page.getByLabel('Show another design').selectOption('traits');
  await page.waitForFunction(() => document.querySelectorAll('.design').length === 3);
  assert.match(decodeURIComponent(page.url()), /d=mac_header,memmove_on_decap,traits/);
});

test('the view is in the address', async ({ page, url }) => {
  await open(page, `${url}/matrix`);
  const all = await page.locator('.cells tbody tr').count();
  await page.getByLabel('Find').fill('dynptr');
  await page.waitForURL(/q=dynptr/);
  const shown = await page.locator('.cells tbody tr').count();
  assert.ok(shown >= 1 && shown < all, `${shown} of ${all}`);
  await page.reload();
  await page.locator('.cells tbody tr').first().waitFor();
  assert.equal(await page.locator('.cells tbody tr').count(), shown);
  await page.getByLabel('Find').fill('no such scenario');
  await page.getByText('No scenario is like that').waitFor();
});

test('fourteen designs are in sight at 1280, the names stay where they are while the rest is scrolled', async ({ page, url }) => {
  await open(page, `${url}/matrix`);
  const room = () => page.locator('.matrix .scroll').evaluate((box) => [box.scrollWidth, box.clientWidth]);
  const [wide, seen] = await room();
  assert.ok(wide <= seen, `${wide} of ${seen} pixels`);
  const cut = await page.locator('.cells tbody td').evaluateAll((cells) => cells.slice(0, 300).filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.innerText));
  assert.deepEqual(cut, []);
  // On a phone the table is scrolled, never the page, and the first column stays.
  await page.setViewportSize({ width: 390, height: 844 });
  const name = page.locator('.cells tbody th').first();
  const before = await name.boundingBox();
  await page.locator('.matrix .scroll').evaluate((box) => { box.scrollLeft = 400; });
  const after = await name.boundingBox();
  assert.equal(Math.round(after.x), Math.round(before.x));
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390);
});

test('order, verdict, difference and groups show what they say', async ({ page, url }) => {
  await open(page, `${url}/matrix?d=mac_header,meta_end`);
  const ids = () => page.locator('.cells tbody tr:not(.group) th a').evaluateAll((all) => all.map((a) => a.getAttribute('href').slice(3)));
  const listed = await ids();
  await page.getByLabel('Order').selectOption('name');
  await page.waitForURL(/sort=name/);
  await page.waitForFunction((first) => document.querySelector('.cells tbody th a').getAttribute('href').slice(3) !== first, listed[0]);
  assert.deepEqual(await ids(), [...listed].sort());
  await page.getByLabel('Verdict').selectOption('garbage');
  await page.waitForURL(/v=garbage/);
  await page.waitForFunction((all) => document.querySelectorAll('.cells tbody tr').length < all, listed.length);
  for (const text of await page.locator('.cells tbody tr').allInnerTexts()) assert.match(text, /garbage/);
  await page.getByLabel('Verdict').selectOption('');
  await page.getByRole('button', { name: 'only where designs differ' }).click();
  await page.waitForFunction((all) => document.querySelectorAll('.cells tbody tr').length < all, listed.length);
  const pairs = await page.locator('.cells tbody tr').evaluateAll((all) => all.map((row) => [...row.querySelectorAll('td .v')].map((one) => one.textContent)));
  assert.ok(pairs.length > 0 && pairs.every(([a, b]) => a !== b), JSON.stringify(pairs.filter(([a, b]) => a === b)));
  await page.getByRole('button', { name: 'only where designs differ' }).click();
  await page.getByRole('button', { name: 'grouped' }).click();
  await page.locator('.cells .group').first().waitFor();
  const groups = await page.locator('.cells .group').allInnerTexts();
  assert.ok(groups.length > 2 && new Set(groups).size === groups.length, groups.join());
  assert.deepEqual((await ids()).sort(), [...listed].sort(), 'each row stands in one group');
});

test('Back takes a change of the view back; a search is one change', async ({ page, url }) => {
  await open(page, `${url}/matrix?d=mac_header,meta_end`);
  await page.getByLabel('Order').selectOption('name');
  await page.waitForURL(/sort=name/);
  await page.getByRole('button', { name: 'grouped' }).click();
  await page.waitForURL(/group=1/);
  await page.getByLabel('Find').pressSequentially('gre');
  await page.waitForURL(/q=gre/);
  // The address is another one before the page has heard of it: what is drawn is waited for.
  const shown = (groups, order, find) =>
    page.waitForFunction(
      ([groups, order, find]) =>
        (document.querySelectorAll('.cells .group').length > 0) === groups &&
        document.querySelectorAll('.matrix-controls select')[1].value === order &&
        document.querySelector('.matrix-controls input').value === find,
      [groups, order, find],
    );
  await shown(true, 'name', 'gre');
  await page.goBack();
  await page.waitForURL((at) => at.search.includes('sort=name') && !at.search.includes('group'));
  await shown(false, 'name', '');
  assert.equal(await page.getByLabel('Order').inputValue(), 'name');
  await page.goBack();
  await page.waitForURL((at) => !at.search.includes('sort'));
  await shown(false, 'catalogue', '');
  assert.equal(await page.getByLabel('Order').inputValue(), 'catalogue');
});

test('the workshop: a point is changed, cells turn, the link holds it, the cell leads to the step', PICTURES, async ({ page, url, shots }) => {
  await open(page, `${url}/matrix`);
  await page.getByRole('button', { name: 'Design workshop' }).click();
  const status = page.locator('.turns [role=status]');
  await rowOf(page, 'seed').locator('td').first().filter({ hasText: '42 ok' }).waitFor();
  assert.equal(await page.locator('.cells .turned').count(), 0);
  await page.getByLabel('Made from').selectOption('mac_header');
  await page.locator('.point', { has: page.getByText('on_decap', { exact: true }) }).locator('select').selectOption('move_up');
  await status.filter({ hasText: /^\d+ cells turned against mac_header: .*from garbage to ok/ }).waitFor({ timeout: 90_000 });
  assert.match(decodeURIComponent(page.url()), /policy=on_decap=move_up&base=mac_header/);
  const seed = rowOf(page, 'seed').locator('td');
  assert.match(await seed.nth(0).innerText(), /✓ 42 ok ← garbage/);
  assert.match(await seed.nth(1).innerText(), /524288 garbage/);
  await shots('workshop');
  await page.getByRole('button', { name: 'only what turned' }).click();
  await page.waitForURL(/turned=1/);
  const turned = await page.locator('.cells tbody tr').count();
  assert.equal(await page.locator('.cells .turned').count(), turned);
  // The link alone gives the same.
  await page.reload();
  await status.filter({ hasText: /cells turned against mac_header/ }).waitFor();
  await rowOf(page, 'seed').locator('td.own a').click();
  await page.locator('.answer', { hasText: '42' }).first().waitFor();
  assert.match(page.url(), /d=custom&policy=/);
  assert.equal(await page.locator('.notice').count(), 0, await page.locator('.notice').allInnerTexts());
});

test('the workshop has Undo and Redo, by button and by key; the cells follow', async ({ page, url }) => {
  await open(page, `${url}/matrix?base=mac_header&policy=on_scrub%3Dkeep&q=seed`);
  const seed = rowOf(page, 'seed').locator('td.own');
  await seed.filter({ hasText: '524288 garbage' }).waitFor();
  const undo = page.locator('.workshop').getByRole('button', { name: 'Undo' });
  const redo = page.locator('.workshop').getByRole('button', { name: 'Redo' });
  assert.ok((await undo.isDisabled()) && (await redo.isDisabled()));
  const point = page.locator('.point', { has: page.getByText('on_decap', { exact: true }) }).locator('select');
  await point.selectOption('move_up');
  await seed.filter({ hasText: '42 ok' }).waitFor();
  await undo.click();
  await seed.filter({ hasText: '524288 garbage' }).waitFor();
  assert.equal(await point.inputValue(), 'keep');
  await page.locator('h1').click();
  await page.keyboard.press('Control+Shift+Z');
  await seed.filter({ hasText: '42 ok' }).waitFor();
  assert.match(decodeURIComponent(page.url()), /policy=on_decap=move_up/);
  await page.keyboard.press('Control+Z');
  await seed.filter({ hasText: '524288 garbage' }).waitFor();
  // Another design is one step too.
  await page.getByLabel('Made from').selectOption('meta_end');
  await seed.filter({ hasText: '42 ok' }).waitFor();
  await undo.click();
  await seed.filter({ hasText: '524288 garbage' }).waitFor();
  assert.equal(await page.getByLabel('Made from').inputValue(), 'mac_header');
});

test('every cell is a link; a number of nine digits stays on one line with its sign', PICTURES, async ({ page, url }) => {
  for (const address of ['/matrix', '/matrix?base=mac_header&policy=on_decap%3Dmove_up']) {
    await open(page, url + address);
    // The workshop judges cell after cell.
    await page.waitForFunction(() => [...document.querySelectorAll('.cells tbody td')].every((cell) => cell.textContent !== '…'), null, { timeout: 150_000, polling: 500 });
    const cells = await page.locator('.cells tbody td').count();
    assert.equal(await page.locator('.cells tbody td a[href^="/s/"]').count(), cells, address);
    const broken = await page.locator('.cells .v').evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height > 26 || one.parentElement.scrollWidth > one.parentElement.clientWidth + 1).map((one) => one.textContent));
    assert.deepEqual(broken, [], address);
  }
  // A cell without a step: the program was refused; the run under that design opens.
  await open(page, `${url}/matrix?q=decap-geneve&d=mac_header_6.12`);
  const cell = rowOf(page, 'decap-geneve').locator('td a');
  assert.match(await cell.innerText(), /refused/);
  await cell.click();
  await page.waitForURL(/\/s\/decap-geneve\?d=mac_header_6\.12/);
});

test('arrows go from cell to cell, past the heads of groups', async ({ page, url }) => {
  await open(page, `${url}/matrix?group=1&d=mac_header,meta_end`);
  const now = () => page.evaluate(() => {
    const cell = document.activeElement.closest('th, td');
    return [cell.cellIndex, cell.parentElement.querySelector('th a')?.getAttribute('href') ?? ''];
  });
  const rows = await page.locator('.cells tbody tr:not(.group)').evaluateAll((all) => all.map((row) => row.querySelector('th a').getAttribute('href')));
  const last = await page.locator('.cells .group').nth(1).evaluate((head) => head.previousElementSibling.querySelector('th a').getAttribute('href'));
  await page.locator('.cells tbody th a').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.deepEqual(await now(), [2, rows[0]]);
  // At the edge nothing moves.
  await page.keyboard.press('ArrowRight');
  assert.deepEqual(await now(), [2, rows[0]]);
  for (let at = rows.indexOf(last) + 1; at > 0; at -= 1) await page.keyboard.press('ArrowDown');
  assert.deepEqual(await now(), [2, rows[rows.indexOf(last) + 1]]);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowLeft');
  assert.deepEqual(await now(), [1, last]);
  // Up to the designs' names.
  for (let at = rows.indexOf(last) + 1; at > 0; at -= 1) await page.keyboard.press('ArrowUp');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), '/designs#mac_header');
});

test('points that contradict each other are refused with the reason, and the column stays', async ({ page, url }) => {
  await open(page, `${url}/matrix?base=meta_end&policy=end%3Dfield,driver%3Dat_mac_header,prologue%3Drealign&q=seed`);
  const seed = rowOf(page, 'seed').locator('td.own');
  await seed.filter({ hasText: '42 ok' }).waitFor();
  await page.locator('.point', { has: page.getByText('end', { exact: true }) }).locator('select').selectOption('head_start');
  await page.getByRole('alert').filter({ hasText: 'realign needs end=field' }).waitFor();
  assert.match(await seed.innerText(), /42 ok/);
});

test('the matrix is taken along as Markdown, CSV, SVG and PNG', async ({ page, url }) => {
  await open(page, `${url}/matrix?q=seed&d=mac_header,meta_end`);
  const saved = async (name) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
    return readFile(await download.path());
  };
  assert.match((await saved('Save Markdown')).toString(), /^\| scenario \| mac_header \| meta_end \|\n\| --- \| --- \| --- \|\n\| seed \| 524288 garbage /);
  const svg = (await saved('Save SVG')).toString();
  assert.match(svg, /^<svg /);
  assert.match(svg, />✗ 524288 garbage<\/text>/);
  assert.match((await saved('Save CSV')).toString(), /^scenario,design,verdict,.*\r\nseed,mac_header,garbage,524288,/);
  const png = await saved('Save PNG');
  assert.equal(png.subarray(0, 8).toString('hex'), '89504e470d0a1a0a');
  // Twice the SVG's size; that has a head with what the costs are, and a column every 150 points.
  const [, width, height] = svg.match(/ width="(\d+)" height="(\d+)"/).map(Number);
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [2 * width, 2 * height]);
  const [, left] = svg.match(/<text x="(\d+)"[^>]*>mac_header</).map(Number);
  assert.match(svg, new RegExp(`<text x="${left + 150}"[^>]*>meta_end<`));
  assert.ok(width >= left + 2 * 150);
  assert.match(svg, />Headroom: \d+ scenarios under 2 designs<.*>Cost: metadata bytes moved /s);
});

test('each design has its page, and the roadmap its eight rows with their status', PICTURES, async ({ page, url, shots }) => {
  await open(page, `${url}/matrix?q=seed`);
  await page.locator('.cells thead').getByRole('link', { name: 'skb_ext' }).click();
  await page.waitForURL(/\/designs#skb_ext$/);
  await page.locator('#skb_ext table').first().waitFor();
  await page.waitForFunction(() => {
    const box = document.getElementById('skb_ext')?.getBoundingClientRect();
    return box && box.top >= -2 && box.top < innerHeight;
  });
  assert.equal(await page.locator('.roadmap-row').count(), 8);
  assert.deepEqual(await page.locator('.roadmap-row .mark').allInnerTexts().then((all) => all.slice(0, 3)), ['in Linux 7.2', 'in Linux 7.2', 'in series v3, not merged']);
  await shots('designs');
  await page.locator('.roadmap-row h3 a').first().click();
  await page.waitForURL(/\/s\/roadmap-1-dynptr/);
});

test('while the workshop is open the matrix is in sight, and what a point means is said of the one that has the focus', async ({ page, url }) => {
  await open(page, `${url}/matrix`);
  await page.getByRole('button', { name: 'Design workshop' }).click();
  await page.locator('.points').waitFor();
  const third = await page.locator('.cells tbody tr').nth(2).boundingBox();
  assert.ok(third.y + third.height <= 800, `the third row ends at ${third.y + third.height} of 800`);
  const told = page.locator('.told-point');
  await page.locator('.point', { has: page.getByText('on_decap', { exact: true }) }).locator('select').focus();
  await told.filter({ hasText: /^on_decap=keep Decapsulation: / }).waitFor();
  // The same words belong to the list itself.
  const select = page.locator('.point', { has: page.getByText('on_lwt', { exact: true }) }).locator('select');
  const described = await select.getAttribute('aria-describedby');
  assert.match(await page.locator(`#${described}`).innerText(), /lwtunnel_input/);
});

test('a broken link to the matrix says what is broken and opens what is whole', async ({ page, url }) => {
  await open(page, `${url}/matrix?d=nope,meta_end&v=bar&sort=foo&q=seed`);
  const notice = page.locator('.notice');
  assert.match(await notice.innerText(), /There is no design “nope”\. The others are shown\. No cell has the verdict “bar”\. All are shown\. There is no order “foo”\./);
  assert.equal(await page.locator('.cells thead th').count(), 2);
  assert.ok((await page.locator('.cells tbody tr').count()) >= 2);
  await notice.getByRole('button', { name: 'Dismiss' }).click();
  assert.equal(await notice.count(), 0);
});

test('the Tab key passes the table, whose cells the arrows reach', async ({ page, url }) => {
  await open(page, `${url}/matrix`);
  const cells = await page.locator('.cells tbody a').count();
  assert.ok(cells > 1000, `${cells} links`);
  await page.getByRole('region', { name: /The matrix/ }).focus();
  const name = () => page.evaluate(() => document.activeElement.textContent.trim());
  for (let n = 0; n < 20 && (await name()) !== 'Copy Markdown'; n += 1) await page.keyboard.press('Tab');
  assert.equal(await name(), 'Copy Markdown');
  // From a design's name an arrow leads into its column.
  await page.locator('.cells thead a').first().focus();
  await page.keyboard.press('ArrowDown');
  assert.match(await name(), /524288\s*garbage/);
});
