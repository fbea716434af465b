// What WCAG 2.2 AA asks, as far as a machine can tell: axe-core on every page, in both colour schemes,
// and the contrast of the text in pictures, which axe leaves out.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from './lib/harness.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const READ = '/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions';
const PAGES = {
  '/': '.ribbon svg',
  '/s': '.scenarios li',
  [READ]: '.controls',
  '/s/seed?d=meta_end&at=bpf_skb_meta_realign.exit@decap%231&z=instructions': '.controls',
  '/?stop=clones': '.twins text',
  '/s/tap-gre?d=mac_header,meta_end&z=writes': '.controls',
  '/spec': '.rule',
  '/embed?s=seed': '.controls',
  '/nowhere': 'h1',
};
/** Pages of the second module, and what is done on them before they are looked at. */
const LATER = {
  '/s?q=gre': ['.catalogue li'],
  '/compare': ['.compare-index li'],
  '/compare/seed?d=mac_header,meta_end,custom&at=get_tag.exit@decap%231': ['.differences tbody tr'],
  '/compare/rec-e2-gre-veth-full?d=mac_header,recording:mac_header': ['.ribbon .hx'],
  '/matrix?q=gre': ['.cells tbody tr'],
  '/matrix?base=mac_header&policy=on_decap%3Dmove_up&q=seed': ['.cells td.own a'],
  '/designs': ['.design-page'],
  '/open': ['main'],
  '/lab?s=seed': ['.right .answer', (page) => page.locator('.topology .dev').first().click()],
  '/lab?s=seed&run=get_tag@decap%231': ['.program-pane .p-row'],
  '/lab?s=seed#programs': ['.right .answer', async (page) => {
    await page.getByRole('tab', { name: /Programs/ }).click();
    await page.getByRole('button', { name: 'assembler for TC' }).click();
    await page.getByLabel(/Assembler of/).fill('r0 = = 1');
    await page.locator('.program-file .wavy').first().waitFor();
  }],
  '/lab?s=seed#packets': ['.right .answer', async (page) => {
    await page.getByRole('tab', { name: /Packets/ }).click();
    await page.getByRole('button', { name: 'make a packet' }).click();
  }],
};

for (const scheme of ['light', 'dark']) {
  test(`axe finds nothing on any page, ${scheme}`, { context: { colorScheme: scheme } }, async ({ page, url }) => {
    for (const [address, there] of Object.entries(PAGES)) {
      await page.goto(url + address);
      await page.locator(`#app ${there}`).first().waitFor();
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      const told = violations.map((one) => `${one.id}: ${one.help} (${one.nodes.slice(0, 4).map((node) => node.target.join(' ')).join('; ')})`);
      assert.deepEqual(told, [], address);
    }
  });

  // The fragments only tell two entries apart.
  test(`axe finds nothing on the pages of the second module, ${scheme}`, { context: { colorScheme: scheme }, timeout: 300_000 }, async ({ page, url }) => {
    for (const [address, [there, act]] of Object.entries(LATER)) {
      await page.goto(url + address.split('#')[0]);
      await page.locator(`#later ${there}`).first().waitFor();
      await act?.(page);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      const told = violations.map((one) => `${one.id}: ${one.help} (${one.nodes.slice(0, 4).map((node) => node.target.join(' ')).join('; ')})`);
      assert.deepEqual(told, [], address);
    }
  });

  test(`text in pictures has a contrast of 4.5, shapes of 3, ${scheme}`, { context: { colorScheme: scheme } }, async ({ page, url }) => {
    await page.goto(url + READ);
    await page.locator('.controls').waitFor();
    const bad = await page.evaluate(contrasts);
    assert.ok(bad.seen > 40, `${bad.seen} texts were looked at`);
    assert.deepEqual(bad.low, []);
  });
}

/** In the page: the contrast of every text of the pictures with what lies under it. */
function contrasts() {
  const parse = (text) => {
    const numbers = (text.match(/[\d.]+/g) ?? []).map(Number);
    return { rgb: numbers.slice(0, 3), alpha: numbers[3] ?? 1 };
  };
  const over = (top, share, below) => top.map((value, index) => value * share + below[index] * (1 - share));
  const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = parse(getComputedStyle(document.body).backgroundColor).rgb;
  const low = [];
  let seen = 0;
  for (const svg of document.querySelectorAll('.ribbon svg')) {
    const rects = [...svg.querySelectorAll('rect, path.written[d]:not([d=""])')].map((rect) => ({ rect, box: rect.getBoundingClientRect() }));
    // Digits of bytes are a line of many: each is looked at in its place.
    const places = (text) => {
      const box = text.getBoundingClientRect();
      if (box.width === 0 || text.textContent.trim() === '') return [];
      const y = box.top + box.height / 2;
      if (!text.classList.contains('hx')) return [{ x: box.left + box.width / 2, y }];
      const seen = text.getScreenCTM();
      const middle = (n) => (text.getStartPositionOfChar(n).x + text.getEndPositionOfChar(n).x) / 2;
      const x = (n) => new DOMPoint(middle(n), 0).matrixTransform(seen).x;
      return [...text.textContent].flatMap((digit, n) => (/[0-9a-f]/.test(digit) ? [{ x: x(n), y }] : []));
    };
    for (const [text, { x, y }] of [...svg.querySelectorAll('text')].flatMap((text) => places(text).map((place) => [text, place]))) {
      seen += 1;
      let under = ground;
      for (const { rect, box: place } of rects) {
        if (x < place.left || x > place.right || y < place.top || y > place.bottom) continue;
        const style = getComputedStyle(rect);
        if (style.fill === 'none') continue;
        const fill = parse(style.fill);
        under = over(fill.rgb, fill.alpha * Number(style.fillOpacity) * Number(style.opacity), under);
      }
      const style = getComputedStyle(text);
      const fill = parse(style.fill);
      const ink = over(fill.rgb, fill.alpha * Number(style.opacity) * Number(style.fillOpacity), under);
      const contrast = ratio(ink, under);
      if (contrast < 4.5) low.push(`${text.textContent.trim()} (${text.closest('g')?.getAttribute('class')}): ${contrast.toFixed(2)}`);
    }
    // The outline of a region, or its fill, against the ground: a shape's 3.
    for (const rect of svg.querySelectorAll('.region:not(.f-headroom):not(.f-tailroom):not(.f-unwritten):not(.stale) rect')) {
      const style = getComputedStyle(rect);
      const contrast = ratio(parse(style.stroke).rgb, ground);
      if (contrast < 3) low.push(`outline of ${rect.parentElement.getAttribute('class')}: ${contrast.toFixed(2)}`);
    }
  }
  return { seen, low: [...new Set(low)] };
}

test('what has the focus is never behind the bar of the stepper', async ({ page, url }) => {
  for (const address of ['/s/seed', '/compare/seed?d=mac_header,meta_end']) {
    await page.goto(url + address);
    await page.locator('.controls').waitFor();
    const covered = [];
    for (let n = 0; n < 60; n += 1) {
      await page.keyboard.press('Tab');
      const name = await page.evaluate(() => {
        const [bar, one] = [document.querySelector('.controls'), document.activeElement];
        if (bar.contains(one)) return null;
        const [{ top, bottom }, box] = [bar.getBoundingClientRect(), one.getBoundingClientRect()];
        return box.height > 0 && box.top >= top && box.bottom <= bottom + 1 ? `${one.textContent.trim()} at ${box.top}` : null;
      });
      if (name !== null) covered.push(name);
    }
    assert.deepEqual(covered, [], address);
  }
});

/** What a screen reader is told of a page, as the browser's accessibility tree has it: nameless parts, in words. */
async function nameless(page) {
  const asked = new Set(['button', 'link', 'textbox', 'searchbox', 'combobox', 'checkbox', 'slider', 'spinbutton', 'tab', 'tabpanel', 'region',
    'table', 'grid', 'dialog', 'image', 'listbox', 'toolbar', 'navigation', 'heading']);
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  const wanting = nodes.filter((node) => !node.ignored && asked.has(node.role?.value) && !node.name?.value?.trim());
  const said = [];
  for (const node of wanting) said.push(`${node.role.value} under ${nodes.find((other) => other.nodeId === node.parentId)?.name?.value ?? '?'}`);
  return { seen: nodes.length, said };
}

for (const [address, [there, act]] of Object.entries({
  '/': ['#app .ribbon svg'],
  [READ]: ['#app .controls'],
  '/spec': ['#app .rule'],
  '/compare/seed?d=mac_header,meta_end,skb_ext,traits&at=get_tag.exit@decap%231': ['#later .differences tbody tr'],
  '/matrix?q=gre': ['#later .cells tbody tr'],
  '/lab?s=seed&run=get_tag@decap%231&i=6': ['#later .program-pane .p-row', (page) => page.locator('.as-table summary').click()],
  '/lab?s=seed#maps': ['#later .right .answer', (page) => page.getByRole('tab', { name: /Maps/ }).click()],
  '/lab?s=seed#packets': LATER['/lab?s=seed#packets'].map((part) => (typeof part === 'string' ? `#later ${part}` : part)),
})) {
  test(`every control, table, picture and region has a name, headings go down by one: ${address}`, async ({ page, url }) => {
    await page.goto(url + address.replace(/#(packets|maps)$/, ''));
    await page.locator(there).first().waitFor();
    await act?.(page);
    const { seen, said } = await nameless(page);
    assert.ok(seen > 60, `${seen} nodes`);
    assert.deepEqual(said, []);
    const told = await page.evaluate(() => {
      const levels = [...document.querySelectorAll('h1, h2, h3, h4')].filter((node) => node.checkVisibility()).map((node) => Number(node.tagName[1]));
      const skips = levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1);
      const figures = [...document.querySelectorAll('figure')].filter((figure) => !figure.getAttribute('aria-label') && !figure.querySelector('figcaption')?.textContent.trim());
      const bare = [...document.querySelectorAll('table')].filter((table) => table.checkVisibility() && !table.querySelector('th'));
      return { ones: levels.filter((level) => level === 1).length, skips, bare: [...bare, ...figures].map((node) => node.className), live: document.querySelectorAll('[aria-live], [role=status]').length };
    });
    assert.deepEqual({ ...told, live: told.live > 0 }, { ones: 1, skips: [], bare: [], live: true });
  });
}

test('what was read is heard as a word: garbage, not only a cross', async ({ page, url }) => {
  await page.goto(url + READ);
  await page.locator('.answer').first().waitFor();
  await page.getByRole('button', { name: 'get_tag on decap, packet 2 mac_header 524288 garbage meta_end 42 ok' }).waitFor();
});
