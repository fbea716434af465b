// What the page may load and run, and what it does when something breaks.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const POLICY = {
  'default-src': "'none'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'style-src': "'self'",
  'img-src': "'self' data: blob:",
  'font-src': "'self'",
  'connect-src': "'self'",
  'worker-src': "'self'",
  'manifest-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
};
const PAGES = ['/', '/s', '/s/seed', '/spec', '/embed?s=seed', '/nowhere'];

test('every page has the strict policy, and no script or style stands in it', async ({ page, url }) => {
  for (const address of PAGES) {
    const html = await (await page.request.get(url + address)).text();
    const [meta = ''] = /<meta[^>]*http-equiv="?Content-Security-Policy[^>]*>/i.exec(html) ?? [];
    const found = /content="([^"]*)"/.exec(meta);
    assert.ok(found, `${address} has no policy`);
    const policy = Object.fromEntries(found[1].split(';').map((part) => {
      const [name, ...values] = part.trim().split(/\s+/);
      return [name, values.join(' ')];
    }));
    assert.deepEqual(policy, POLICY, address);
    // It stands in front of everything that it is for.
    assert.ok(html.indexOf('Content-Security-Policy') < html.search(/<(script|link|style)/), address);
    assert.deepEqual(html.match(/<script(?![^>]*\ssrc=)[^>]*>/g) ?? [], [], `${address}: an inline script`);
    assert.deepEqual(html.match(/\son\w+=|\sstyle=|<style/g) ?? [], [], `${address}: an inline handler or style`);
  }
});

// A refused request is announced to the harness like one that is sent; the page's own report tells them apart.
const REFUSED = [/Content Security Policy/, /a request left the origin: http:\/\/198\.51\.100\.1\//];
test('the policy holds: a script that stands in the page and a foreign host are refused', { allow: REFUSED }, async ({ page, url }) => {
  await page.goto(`${url}/s/seed`);
  await page.locator('.controls').waitFor();
  const tried = await page.evaluate(async () => {
    const reports = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      if (event.disposition === 'enforce') reports.push(`${event.effectiveDirective} ${event.blockedURI}`);
    });
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    const image = new Image();
    const loaded = new Promise((done) => { image.onload = () => done(true); image.onerror = () => done(false); });
    image.src = 'http://198.51.100.1/x.png';
    const sent = await fetch('http://198.51.100.1/').then(() => true, () => false);
    const found = { ran: window.ran ?? false, loaded: await loaded, sent };
    await new Promise((done) => setTimeout(done, 100));
    return { ...found, reports: reports.sort() };
  });
  assert.deepEqual(tried, {
    ran: false,
    loaded: false,
    sent: false,
    reports: ['connect-src http://198.51.100.1/', 'img-src http://198.51.100.1/x.png', 'script-src-elem inline'],
  });
});

test('the worker runs under the policy, and only when something is simulated', async ({ page, url }) => {
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${url}/s/seed`);
  await page.locator('.controls').waitFor();
  assert.deepEqual(asked.filter((name) => name.includes('worker')), []);
  const area = page.locator('.editor textarea');
  await area.fill((await area.inputValue()).replace('10.0.0.2/24', '10.0.0.2/16'));
  await page.waitForFunction(() => performance.getEntriesByType('resource').some((entry) => entry.name.includes('worker')));
  assert.ok(page.workers().length === 1, 'one worker');
});

test('nothing that is typed or linked becomes HTML', async ({ page, url }) => {
  const evil = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';
  await page.goto(`${url}/s/seed?at=${encodeURIComponent(evil)}&d=${encodeURIComponent(evil)}`);
  await page.locator('.controls').waitFor();
  assert.match(await page.locator('.notice').innerText(), /<img src=x/);
  await page.locator('input[type=file]').setInputFiles({ name: '<b>x</b>.o', mimeType: 'application/octet-stream', buffer: Buffer.from('x') });
  await page.locator('.problem, .object code', { hasText: '<b>x</b>.o' }).first().waitFor();
  await page.locator('.editor textarea').fill(evil);
  await page.locator('.problem', { hasText: '<img' }).waitFor();
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.equal(await page.locator('main img, main b b').count(), 0);
});

test('a mistake of the page itself shows a sentence, keeps the input and offers to reload', { allow: [/./] }, async ({ page, url }) => {
  await page.goto(`${url}/s/seed`);
  await page.locator('.controls').waitFor();
  const typed = `${await page.locator('.editor textarea').inputValue()}\n# kept`;
  await page.locator('.editor textarea').fill(typed);
  await page.waitForTimeout(800);
  // What no browser does: the document makes no nodes, except those that the sentence is made of. The
  // page's module can't go on then.
  await page.evaluate(() => {
    const refuse = () => { throw new Error('refused'); };
    Node.prototype.cloneNode = refuse;
    Document.prototype.createElementNS = refuse;
    const create = Document.prototype.createElement;
    Document.prototype.createElement = function (name) {
      return ['div', 'p', 'pre', 'button'].includes(name) ? create.call(this, name) : refuse();
    };
  });
  await page.locator('a[href="/spec"]').first().click();
  await page.locator('.crash').waitFor();
  assert.match(await page.locator('.crash').innerText(), /mistake of its own/);
  assert.ok((await page.locator('.crash pre').textContent()).endsWith('# kept'));
  await page.locator('.crash button').click();
  await page.locator('#app .rule').first().waitFor();
  // Back to the page on which it was typed: it is still there.
  await page.goto(`${url}/s/seed`);
  await page.locator('.controls').waitFor();
  assert.equal(await page.locator('.editor textarea').inputValue(), typed);
});

test('a browser without storage is served all the same', async ({ page, url }) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('blocked', 'SecurityError'); } });
  });
  await page.goto(`${url}/s/seed`);
  await page.locator('.controls').waitFor();
  await page.getByRole('button', { name: /System/ }).click();
  await page.getByRole('button', { name: /Light/ }).waitFor();
});

test('the first picture is there before any module, and without scripts', { context: { javaScriptEnabled: false } }, async ({ page, url, shots }) => {
  for (const address of ['/', '/s/seed']) {
    await page.goto(url + address);
    assert.match(await page.locator('#drawn').innerText(), /524288/);
    assert.ok(await page.locator('#drawn svg.wide .region').first().isVisible(), address);
  }
  await shots('no-scripts');
});
