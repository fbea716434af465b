// Start page, rules, and the page for a slide.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

test('the start page shows the picture and leads to the stepper', async ({ page, url, shots }) => {
  await page.goto(`${url}/`);
  await page.locator('.verdict').first().waitFor();
  assert.match(await page.locator('main').innerText(), /524288/);
  await shots('start');
  await page.getByRole('link', { name: 'This step, byte by byte' }).click();
  await page.locator('.controls').waitFor();
  assert.equal(new URL(page.url()).pathname, '/s/seed');
  await page.goBack();
  await page.getByRole('heading', { name: /Where do packet metadata go/ }).waitFor();
});

test('every check of every rule leads to its step', async ({ page, url, shots }) => {
  await page.goto(`${url}/spec`);
  await page.locator('.rule').first().waitFor();
  await shots('spec');
  const links = await page.locator('.rule dd a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  assert.ok(links.length >= 10, `${links.length} checks`);
  for (const link of new Set(links)) {
    await page.goto(url + link);
    await page.locator('.controls').waitFor();
    assert.equal(await page.locator('.notice').count(), 0, `${link}: ${await page.locator('.notice').allInnerTexts()}`);
  }
});

test('a rule has an address of its own', async ({ page, url }) => {
  await page.goto(`${url}/spec#HR-DECAP-3`);
  const rule = page.locator('#HR-DECAP-3');
  await rule.waitFor();
  await page.waitForFunction(() => {
    const box = document.getElementById('HR-DECAP-3')?.getBoundingClientRect();
    return box && box.top >= 0 && box.top < innerHeight;
  });
  await rule.locator('dd a').first().click();
  await page.locator('.controls').waitFor();
  await page.goBack();
  await page.waitForURL(/#HR-DECAP-3$/);
});

test('the embedded stepper steps and leads to the full page with its state', async ({ page, url, shots }) => {
  await page.goto(`${url}/embed?s=seed&at=get_tag.entry@decap%231`);
  await page.locator('.controls').waitFor();
  assert.equal(await page.locator('header.top').count(), 0);
  await page.keyboard.press('End');
  await page.keyboard.press('.');
  assert.match(page.url(), /\/embed\?s=seed/);
  const full = await page.getByRole('link', { name: 'Open in full' }).getAttribute('href');
  assert.match(full ?? '', /^\/s\/seed\?.*at=get_tag\.exit@decap%231/);
  await shots('embed');
});

for (const [width, height] of [[960, 540], [1280, 720], [1920, 1080]]) {
  test(`a slide of ${width} × ${height} shows both buffers and the step's name`, { context: { viewport: { width, height } } }, async ({ page, url }) => {
    await page.goto(`${url}/embed?s=seed&at=get_tag.exit@decap%231`);
    await page.locator('.verdict').nth(1).waitFor();
    const seen = await page.evaluate(() => {
      const box = (node) => node.getBoundingClientRect();
      const where = document.querySelector('.where');
      return {
        below: Math.max(...[...document.querySelectorAll('.verdict')].map((verdict) => box(verdict).bottom)),
        controls: box(document.querySelector('.controls')).top,
        cut: where.scrollWidth - where.clientWidth,
        type: box(document.querySelector('.ribbon .rl:not(:empty)')).height,
      };
    });
    assert.ok(seen.below <= seen.controls, `the second buffer ends at ${seen.below}, the controls begin at ${seen.controls}`);
    assert.ok(seen.cut <= 0, `the name of the step is ${seen.cut} px too long`);
    // As much of the screen's height as at 960 × 540, or more.
    assert.ok(seen.type >= 11 * Math.min(height / 600, 1.8), `${seen.type} px`);
    // What lies under the pointer is the byte that is drawn there, however large it is drawn.
    const [x, y] = await page.locator('.ribbon .hit').first().evaluate((hit) => {
      const { left, width, top, height } = hit.getBoundingClientRect();
      return [left + width * 0.3, top + height / 2];
    });
    await page.mouse.click(x, y);
    const place = await page.evaluate(() => ({ line: document.querySelector('.chosen').getBoundingClientRect().left }));
    assert.ok(Math.abs(place.line - x) < 22, `chosen at ${place.line}, pointed at ${x}`);
  });
}

test('it works in a sandboxed frame, which has no storage', async ({ page, url }) => {
  // A slide: another page than ours, whose policy would let it frame nothing.
  const slide = '<!doctype html><title>slide</title><iframe sandbox="allow-scripts" width="1000" height="700" src="/embed?s=seed&amp;at=get_tag.exit@decap%231"></iframe>';
  await page.route(`${url}/slide`, (route) => route.fulfill({ contentType: 'text/html', body: slide }));
  await page.goto(`${url}/slide`);
  const frame = page.frameLocator('iframe');
  await frame.locator('.says', { hasText: '524288' }).waitFor();
  await frame.getByRole('button', { name: 'Previous step' }).click();
  await frame.locator('.where code', { hasText: 'get_tag on decap' }).waitFor({ state: 'detached' }).catch(() => {});
  assert.notEqual(await frame.locator('.where code').innerText(), 'get_tag on decap, exit');
});

test('the colour scheme can be chosen and is kept', async ({ page, url }) => {
  await page.goto(`${url}/s/seed`);
  const button = page.getByRole('button', { name: /System/ });
  await button.click();
  await page.getByRole('button', { name: /Light/ }).click();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.reload();
  await page.locator('.controls').waitFor();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
});

test('apostrophes are of one kind', async ({ page, url }) => {
  for (const [address, there] of [['/', '.verdict'], ['/s/seed', '.controls'], ['/compare/seed?d=mac_header,meta_end', '.diffbar'], ['/designs', '.design-page'], ['/lab?s=seed', '.topology'], ['/spec', '.rule']]) {
    await page.goto(url + address);
    await page.locator(there).first().waitFor();
    assert.doesNotMatch(await page.locator('body').innerText(), /\p{L}’\p{L}/u, address);
  }
});
