// What every test of the site starts from: node's own test runner, a browser and a served site for
// each test file, and a fresh page for each test.
//
//     import assert from 'node:assert/strict';
//     import { test } from './lib/harness.mjs';
//
//     test('opens', async ({ page, url }) => {
//       await page.goto(`${url}/`);
//       assert.match(await page.title(), /Headroom/);
//     });
//
// A test fails by itself when the page (or a worker of it) logs an error, throws, gets an answer
// of 400 or more, or asks for anything that is not on the site's own origin.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, test as nodeTest } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './browser.mjs';
import { serve } from './server.mjs';

const e2e = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const site = process.env.HEADROOM_SITE ?? path.join(path.dirname(e2e), 'dist');
/** How much slower than usual the machine is: HEADROOM_PATIENCE=4 waits four times as long. */
const patience = Number(process.env.HEADROOM_PATIENCE) || 1;
/** The longest that one test may take. */
const LIMIT = 120_000 * patience;

/** The widths and colour schemes that the site is looked at in. */
export const views = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
].flatMap((size) => ['light', 'dark'].map((scheme) => ({ ...size, scheme })));

let started;

/** One browser and one server for all tests of a file. HEADROOM_URL tests a site that runs. */
function start() {
  started ??= (async () => {
    const external = process.env.HEADROOM_URL?.replace(/\/+$/, '');
    if (!external && !existsSync(path.join(site, 'index.html'))) {
      throw new Error(`${site} has no index.html: build the site first (cargo xtask test does)`);
    }
    const server = external ? { url: external, close: async () => {} } : await serve(site);
    try {
      return { server, browser: await launch() };
    } catch (error) {
      await server.close();
      throw error;
    }
  })();
  return started;
}

after(async () => {
  // A start that failed has failed the tests; there is nothing to close.
  const running = await started?.catch(() => undefined);
  await running?.browser.close();
  await running?.server.close();
});

/**
 * A test in a fresh browser context: `run({ page, url, context, t, shots })`, `t` being that of the test runner.
 * `options.context` goes to Playwright's newContext, for instance { reducedMotion: 'reduce' };
 * `options.allow` lists what the page may complain of (regular expressions): a test that breaks
 * something on purpose.
 */
export function test(name, options, run) {
  if (typeof options === 'function') [options, run] = [{}, options];
  const { context: contextOptions, allow = [], ...rest } = options;
  nodeTest(name, { timeout: LIMIT, ...rest }, async (t) => {
    const { browser, server } = await start();
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      ...contextOptions,
    });
    const wrong = watch(context, server.url);
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(20_000 * patience);
      await run({ page, url: server.url, context, t, shots: (label) => shots(page, label) });
      const unexpected = wrong.filter((text) => !allow.some((pattern) => pattern.test(text)));
      assert.deepEqual(unexpected, [], 'the page did what it must not do');
    } catch (error) {
      // What the page complained of usually is the reason of a failed expectation.
      if (wrong.length > 0 && error instanceof Error) error.message += `\npage: ${wrong.join('\npage: ')}`;
      throw error;
    } finally {
      await context.close();
    }
  });
}

/** Collects what a page must not do. */
function watch(context, url) {
  const { origin, host } = new URL(url);
  const wrong = [];
  context.on('console', (message) => {
    if (message.type() === 'error') wrong.push(`console error: ${message.text()}`);
  });
  context.on('weberror', (webError) => {
    const error = webError.error();
    // A module that does not compile has a message and an empty stack.
    wrong.push(`exception: ${error.stack || `${error.name}: ${error.message}`}`);
  });
  context.on('response', (response) => {
    if (response.status() >= 400) wrong.push(`${response.status()} for ${response.url()}`);
  });
  context.on('request', (request) => {
    const target = new URL(request.url());
    const here = target.origin === origin || ['data:', 'blob:', 'about:'].includes(target.protocol);
    // trunk's reload channel, when the tests run against `trunk serve`.
    const reload = ['ws:', 'wss:'].includes(target.protocol) && target.host === host;
    if (!here && !reload) wrong.push(`a request left the origin: ${request.url()}`);
  });
  return wrong;
}

/**
 * Pictures of the page as it is, in every width and colour scheme, in e2e/shots/ (which git
 * ignores). Gives their paths. Fails when the page is wider than the window.
 */
export async function shots(page, label) {
  const folder = path.join(e2e, 'shots');
  await mkdir(folder, { recursive: true });
  const before = page.viewportSize();
  const files = [];
  for (const { width, height, scheme } of views) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    await page.evaluate(() => document.fonts.ready.then(() => {}));
    const file = path.join(folder, `${label}-${width}-${scheme}.png`);
    await page.screenshot({ path: file, fullPage: true, animations: 'disabled' });
    files.push(file);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${label}: at ${width} px the page is ${wide} px wide`);
  }
  await page.emulateMedia({ colorScheme: null });
  if (before) await page.setViewportSize(before);
  return files;
}
