// Taking a step along from any page, commands in the palette, what one looks for in the address.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from './lib/harness.mjs';

const READ = '/s/seed?d=mac_header&at=get_tag.exit@decap%231';

async function palette(page, words) {
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).fill(words);
}

const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

test('a step of a scenario is taken along from a sheet: link, hex, C, Scapy, Markdown, SVG, PNG', async ({ page, url, context, shots }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(url + READ);
  await page.locator('.controls').waitFor();
  await page.getByRole('button', { name: 'Copy or save this step' }).click();
  const sheet = page.locator('dialog.take-sheet[open]');
  await sheet.waitFor();
  assert.match(await sheet.innerText(), /get_tag on decap read 524288/);
  const copied = async (name) => {
    await sheet.getByRole('button', { name, exact: true }).click();
    await sheet.getByRole('button', { name: 'Copied' }).first().waitFor();
    const text = await clipboard(page);
    await sheet.getByRole('button', { name, exact: true }).waitFor();
    return text;
  };
  // The inner packet: IPv4 of 84 bytes, 192.0.2.2 → 192.0.2.1.
  assert.match(await copied('Copy hex'), /^45000054.{16}c0000202c0000201/);
  assert.match(await copied('Copy C array'), /0x45, 0x00, 0x00, 0x54/);
  assert.match(await copied('Copy Scapy'), /^IP\(version=4, .*src="192\.0\.2\.2"/);
  assert.match(await copied('Copy Markdown'), /read 524288/);
  assert.match(await copied('Copy SVG'), /^<svg .*<title>get_tag\.exit@decap#1<\/title>/s);
  assert.match(await copied('Copy link'), /\/s\/seed\?d=mac_header&at=get_tag\.exit@decap%231/);
  const [svg] = await Promise.all([page.waitForEvent('download'), sheet.getByRole('button', { name: 'Save SVG' }).click()]);
  assert.match((await readFile(await svg.path())).toString(), /^<svg /);
  const [png] = await Promise.all([page.waitForEvent('download'), sheet.getByRole('button', { name: 'Save PNG' }).click()]);
  assert.equal((await readFile(await png.path())).subarray(0, 8).toString('hex'), '89504e470d0a1a0a');
  await shots('take-sheet');
  await page.keyboard.press('Escape');
  await sheet.waitFor({ state: 'detached' });
  // The page behind it is as it was.
  assert.match(page.url(), /at=get_tag\.exit@decap%231/);
});

test('the palette takes a step along, presses the page’s buttons and goes to pages', async ({ page, url, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(url + READ);
  await page.locator('.controls').waitFor();
  await palette(page, 'copy scapy');
  await page.keyboard.press('Enter');
  await page.locator('dialog.take-sheet').getByRole('button', { name: 'Copied' }).waitFor();
  assert.match(await clipboard(page), /^IP\(version=4/);
  await page.keyboard.press('Escape');
  await palette(page, 'last step');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /^step (\d+) of \1,/.test(document.querySelector('.scrub').getAttribute('aria-valuetext')));
  // On a page of the second module its own buttons are there.
  await page.goto(`${url}/compare/seed?d=mac_header,meta_end`);
  await page.locator('.takes').first().waitFor();
  await palette(page, 'copy hex');
  await page.keyboard.press('Enter');
  await page.locator('.takes', { hasText: 'Copied' }).waitFor();
  assert.match(await clipboard(page), /^[0-9a-f]+$/);
  await palette(page, 'first difference');
  await page.keyboard.press('Enter');
  await page.locator('.differences tbody tr').first().waitFor();
  await page.goto(`${url}/lab?s=seed`);
  const commands = page.getByRole('textbox', { name: 'Commands' });
  await commands.waitFor();
  const before = await commands.inputValue();
  await commands.fill(`${before}\n# a remark`);
  await palette(page, 'undo');
  await page.keyboard.press('Enter');
  assert.equal(await commands.inputValue(), before);
  await palette(page, 'lab decap-vxlan');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /type vxlan/.test(document.querySelector('.commands textarea').value));
});

test('what one looks for stands in the address', async ({ page, url }) => {
  await page.goto(`${url}/s/seed?d=mac_header`);
  await page.locator('.controls').waitFor();
  await page.getByLabel('Find in the run').fill('wrong read');
  await page.waitForURL(/find=wrong%20read/);
  await page.reload();
  await page.locator('.finder .count', { hasText: /1 in this run|1 of 1/ }).waitFor();
  assert.equal(await page.getByLabel('Find in the run').inputValue(), 'wrong read');
  // In the lab too, beside the work.
  await page.goto(`${url}/lab?s=seed&find=change%20of%20mac_header`);
  await page.locator('.finder .count', { hasText: /in this run| of / }).waitFor();
  assert.equal(await page.getByLabel('Find in the run').inputValue(), 'change of mac_header');
});

test('the palette keeps a function of the way and its hook apart', async ({ page, url }) => {
  await page.goto(url + READ);
  await page.locator('.controls').waitFor();
  await page.locator('h1').click();
  await palette(page, 'ingress');
  await page.locator('.palette [role=option]').first().waitFor();
  const words = await page.locator('.palette [role=option]').allInnerTexts();
  assert.ok(words.includes('get_tag TC ingress'), words.join('\n'));
});

/** In the page: what a key may change. */
function state() {
  const all = (what) => [...document.querySelectorAll(what)];
  const text = (what) => all(what).map((one) => one.textContent).join('|');
  return JSON.stringify([
    location.pathname, text('.where'), text('.controls'), text('.dname'), text('.sr[role=status]'), document.documentElement.dataset.density,
    all('[aria-pressed=true]').map((one) => one.textContent), all('.finder input, .editor textarea').map((one) => one.value),
    all('dialog[open]').map((one) => one.id || one.className), document.activeElement.tagName, document.activeElement.className,
  ]);
}

// The middle of a run, with something that is found before and behind it.
const MIDDLE = '/s/seed?d=mac_header,meta_end&find=change%20of%20mac_header&at=get_tag.entry@rx%231&z=instructions';
const LAB = '/lab?s=seed';
const where = { 'in Compare': '/compare/seed?d=mac_header,meta_end&at=__iptunnel_pull_header.exit@rx%231&z=functions', 'in the lab': LAB };
const named = { '→': 'ArrowRight', '←': 'ArrowLeft', '↑': 'ArrowUp', '↓': 'ArrowDown', Space: ' ', Ctrl: 'Control', '⌘K': 'Meta+k' };

test('each key of the sheet does something where the sheet says so', { context: { permissions: ['clipboard-read', 'clipboard-write'] } }, async ({ page, url }) => {
  const there = page.locator('.ribbon .region, .editor textarea').first();
  await page.goto(url + MIDDLE);
  await there.waitFor();
  await page.keyboard.press('?');
  await page.locator('dialog#keys[open]').waitFor();
  const rows = await page.locator('dialog#keys').evaluate((sheet) => [...sheet.querySelectorAll('tr, dl > div, li')]
    .map((row) => [[...row.querySelectorAll('kbd')].map((key) => key.textContent), row.textContent]));
  assert.ok(rows.length >= 20, `${rows.length} rows`);
  const idle = [];
  for (const [keys, text] of rows) {
    for (const name of keys) {
      const key = named[name] ?? name.split('+').map((part) => named[part] ?? part).join('+');
      const place = Object.entries(where).find(([words]) => text.includes(`${words}:`))?.[1] ?? MIDDLE;
      await page.goto('about:blank');
      await page.goto(url + place);
      await there.waitFor();
      await page.waitForTimeout(300);
      if (place === LAB) {
        const editor = page.getByRole('textbox', { name: 'Commands' });
        await editor.press('Control+End');
        await editor.pressSequentially('\nip lin');
        await page.waitForTimeout(600);
        if (key.includes('Shift')) await page.keyboard.press('Control+z');
      }
      if (/^Shift\+Arrow/.test(key)) await page.locator('h1').click();
      const before = await page.evaluate(state);
      await page.keyboard.press(key);
      await page.waitForTimeout(600);
      if ((await page.evaluate(state)) === before) idle.push(`${name}: ${text}`);
    }
  }
  assert.deepEqual(idle, []);
});
