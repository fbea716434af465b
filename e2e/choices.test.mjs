// What a reader chooses: theme, density, on every width; and what the site keeps of it, and does not.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const [LIGHT, DARK] = ['rgb(251, 250, 247)', 'rgb(21, 20, 18)'];

test('the theme is the system’s until one is chosen, and follows it while the page is open', { context: { colorScheme: 'light' } }, async ({ page, url }) => {
  await page.goto(`${url}/spec`);
  await page.locator('.rule').first().waitFor();
  assert.equal(await ground(page), LIGHT);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.equal(await ground(page), DARK);
  // System, light, dark.
  await page.getByRole('button', { name: /System/ }).click();
  assert.equal(await ground(page), LIGHT, 'light, whatever the system is');
  await page.reload();
  await page.locator('.rule').first().waitFor();
  assert.equal(await ground(page), LIGHT);
  await page.getByRole('button', { name: /Light/ }).click();
  await page.emulateMedia({ colorScheme: 'light' });
  assert.equal(await ground(page), DARK, 'dark, whatever the system is');
  await page.getByRole('button', { name: /Dark/ }).click();
  assert.equal(await ground(page), LIGHT, 'the system’s again');
});

test('density is a button down to 641 pixels, and in the palette of a phone', async ({ page, url }) => {
  await page.goto(`${url}/spec`);
  await page.locator('.rule').first().waitFor();
  const size = () => page.evaluate(() => getComputedStyle(document.body).fontSize);
  for (const width of [1280, 900, 700, 641]) {
    await page.setViewportSize({ width, height: 800 });
    const dense = page.getByRole('button', { name: 'Dense' });
    assert.ok(await dense.isVisible(), `at ${width}`);
    await dense.click();
    assert.equal(await size(), '14px', `at ${width}`);
    await dense.click();
    assert.equal(await size(), '16px');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= width, `at ${width}`);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [words, then] of [['dense', async () => assert.equal(await size(), '14px')], ['system', async () => assert.equal(await page.locator('html').getAttribute('data-theme'), 'light')]]) {
    await page.getByRole('button', { name: /Find/ }).click();
    await page.getByRole('combobox', { name: 'Go to' }).fill(words);
    await page.locator('.palette li').first().click();
    await then();
  }
});

test('no page sets a cookie or asks a question in a window; what is kept are choices and work', async ({ page, url, context }) => {
  const asked = [];
  page.on('dialog', (dialog) => { asked.push(dialog.message()); dialog.dismiss(); });
  for (const [address, there] of [['/', '.told h2'], ['/s', '.catalogue li'], ['/s/seed', '.controls'], ['/spec', '.rule'], ['/matrix?q=seed', '.cells tbody tr'], ['/compare/seed', '.diffbar'], ['/designs', '.design-page'], ['/open', '.open h1'], ['/lab?s=seed', '.right .answer']]) {
    await page.goto(url + address);
    await page.locator(there).first().waitFor();
    assert.equal(await page.evaluate(() => document.cookie), '', address);
  }
  // Work is thrown away without a question: Undo brings it back.
  const commands = page.getByRole('textbox', { name: 'Commands' });
  const whole = await commands.inputValue();
  await commands.fill(`${whole}\n# mine`);
  await page.getByLabel('Begin with a scenario').selectOption('decap-vxlan');
  await page.waitForFunction(() => /type vxlan/.test(document.querySelector('.commands textarea').value));
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.waitForFunction(() => /# mine$/.test(document.querySelector('.commands textarea').value));
  assert.deepEqual(asked, []);
  assert.deepEqual(await context.cookies(), []);
  await page.waitForFunction(() => localStorage.getItem('lab-work'));
  const kept = await page.evaluate(() => Object.keys(localStorage).sort());
  assert.deepEqual(kept.filter((key) => !['lab-work', 'theme', 'density', 'scale'].includes(key)), []);
});

test('what is kept for offline has one version, that of the site', async ({ page, url, context }) => {
  await page.goto(`${url}/`);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  const worker = await (await page.request.get(`${url}/sw.js`)).text();
  const [, version] = /'headroom-([0-9a-f]{16})'/.exec(worker);
  const kept = async () => {
    for (let turn = 0; turn < 100; turn += 1) {
      const names = (await page.evaluate(() => caches.keys())).join();
      if (names === `headroom-${version}`) return names;
      await page.waitForTimeout(100);
    }
    return (await page.evaluate(() => caches.keys())).join();
  };
  assert.equal(await kept(), `headroom-${version}`);
  // An old one goes when the new one comes.
  await page.evaluate(async () => { await caches.open('headroom-0000000000000000'); await (await navigator.serviceWorker.getRegistration()).unregister(); });
  await page.reload();
  assert.equal(await kept(), `headroom-${version}`);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await context.setOffline(true);
  const script = await page.evaluate(() => fetch('/words.js').then((answer) => answer.ok));
  assert.ok(script, 'what lights words is there offline too');
  await context.setOffline(false);
});

test('in the colours of the system what is chosen looks otherwise than what is not', { context: { forcedColors: 'active' } }, async ({ page, url }) => {
  await page.goto(`${url}/s/seed?d=mac_header`);
  await page.locator('.controls').waitFor();
  const ground = (locator) => locator.first().evaluate((node) => getComputedStyle(node).backgroundColor);
  for (const [on, off] of [['.chip[aria-pressed="true"]', '.chip[aria-pressed="false"]'], ['.zoom [aria-pressed="true"]', '.zoom [aria-pressed="false"]'], ['.top nav a[aria-current]', '.top nav a:not([aria-current])']]) {
    assert.notEqual(await ground(page.locator(on)), await ground(page.locator(off)), on);
  }
});
