// How the stepper draws what ux asks for: motion, lanes and drops, values that are not set, hexadecimal under the pointer.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

async function open(page, address) {
  await page.goto(address);
  await page.locator('#app .controls').waitFor();
  await page.locator('.ribbon svg .hx:not(:empty)').first().waitFor({ state: 'attached' });
}

const moving = (page) => page.evaluate(() => ['.tick', '.pl', '.zone'].map((what) => parseFloat(getComputedStyle(document.querySelector(`.design ${what}`)).transitionDuration)));

test('pointers move for 120 to 180 ms, and jump where motion is reduced', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header`);
  for (const seconds of await moving(page)) assert.ok(seconds >= 0.12 && seconds <= 0.18, `${seconds} s`);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  assert.deepEqual(await moving(page), [0, 0, 0]);
});

test('the timeline has a lane for each device of a namespace and one for programs, and marks reads, writes, moves and drops', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=meta_end&at=get_tag.exit@decap%231&z=functions`);
  // The devices of the seed mail's commands, in the order in which the packet comes to them.
  const lanes = await page.locator('.timeline .lane .ll').allInnerTexts();
  for (const name of ['tx/encap', 'tx/tx', 'rx', 'decap', 'programs']) assert.ok(lanes.some((text) => text.trim().startsWith(name)), `${name} in ${lanes}`);
  for (const kind of ['.w', '.m', '.ok']) assert.ok(await page.locator(`.timeline .marks ${kind}[d]:not([d=""])`).count() > 0, kind);
  await open(page, `${url}/s/netfilter-drop?d=mac_header`);
  assert.ok(await page.locator('.timeline .marks .x[d]:not([d=""])').count() > 0, 'the packet that netfilter drops');
});

test('a pointer that is not set is said so; offsets are decimal, and hexadecimal under the pointer', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header`);
  await page.locator('h1').click();
  await page.keyboard.press('Home');
  const row = (name) => page.locator('.fields tbody tr', { has: page.getByRole('button', { name, exact: true }) });
  assert.match(await row('mac_header').innerText(), /not set$/);
  assert.doesNotMatch(await page.locator('.fields').innerText(), /65535/);
  await open(page, `${url}/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=functions`);
  const header = row('mac_header');
  await header.hover();
  await page.locator('.pl.lit').waitFor();
  // 294 is 0x126, 290 0x122.
  assert.equal(await header.locator('b').getAttribute('title'), '0x126');
  await page.locator('.says .say').first().hover();
  const place = page.locator('.says .w', { hasText: '290–293' });
  await place.hover();
  assert.equal(await place.getAttribute('title'), '0x122–0x125');
});

test('on a phone all that has bytes has a name or a number, and no name lies over another', { context: { viewport: { width: 390, height: 844 } } }, async ({ page, url }) => {
  for (const [place, words] of [
    ['seed?d=mac_header&at=get_tag.exit@decap%231', ['tag', 'GRE', 'meta']],
    ['seed?d=mac_header&at=set_tag.exit@rx%232', ['tag', 'GRE', 'meta']],
    ['decap-vxlan?d=mac_header', ['UDP', 'meta']],
    ['decap-geneve?d=mac_header,meta_end', []],
  ]) {
    await page.goto(`${url}/s/${place}`);
    await page.locator('#app .controls').waitFor();
    await page.locator('.ribbon svg .region .rl:not(:empty)').first().waitFor({ state: 'attached' });
    const seen = await page.evaluate(() => [...document.querySelectorAll('.ribbon svg.live')].map((svg) => {
      const box = (node) => node.getBoundingClientRect();
      const shown = (node) => node.checkVisibility();
      const names = (all) => all.filter((node) => shown(node)).map((node) => ({ words: node.textContent, left: box(node).left, right: box(node).right, width: box(node.parentElement.firstElementChild).width }));
      return {
        regions: names([...svg.querySelectorAll('.region .rl')]),
        zones: names([...svg.querySelectorAll('.zone:not(.headroom):not(.tailroom) text')]),
        said: [...svg.querySelectorAll('.pl')].map((label) => label.textContent).find((text) => text.startsWith('·')) ?? '',
      };
    }));
    assert.ok(seen.length > 0, place);
    for (const { regions, zones, said } of seen) {
      for (const row of [regions, zones]) {
        for (const one of row) {
          if (one.width >= 7) assert.notEqual(one.words, '', `${place}: a name in ${JSON.stringify(row)}`);
          if (/^\d+$/.test(one.words)) assert.match(said, new RegExp(`\\b${one.words} is `), place);
        }
        const named = row.filter((one) => one.words).sort((a, b) => a.left - b.left);
        for (const [index, one] of named.slice(1).entries()) assert.ok(one.left >= named[index].right - 1, `${place}: ${one.words} over ${named[index].words}`);
      }
      const all = [...regions, ...zones].map((one) => one.words);
      for (const word of words) assert.ok(all.includes(word), `${place}: ${word} in ${all}`);
    }
  }
});

test('a name in the timeline lies in its bar, or that of a program behind it', async ({ page, url }) => {
  for (const zoom of ['functions', 'instructions']) {
    await open(page, `${url}/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=${zoom}`);
    const over = await page.evaluate(() => [...document.querySelectorAll('.lane.programs .track')].flatMap((track) => {
      const place = track.querySelector('svg').getBoundingClientRect();
      const [, , rows] = track.querySelector('svg').getAttribute('viewBox').split(' ').slice(0, 3).map(Number);
      const bars = [...track.querySelectorAll('.bar')].flatMap((path) => [...(path.getAttribute('d') ?? '').matchAll(/M([\d.]+) [\d.]+h([\d.]+)/g)].map(([, from, long]) => [from, Number(from) + Number(long)].map((row) => place.left + (row / rows) * place.width)));
      return [...track.querySelectorAll('.tl')].map((name) => {
        const range = document.createRange();
        range.selectNodeContents(name);
        const { left, right } = range.getBoundingClientRect();
        const inside = bars.some(([from, to]) => left >= from - 1 && right <= to + 1);
        const free = bars.every(([from, to]) => right <= from + 1 || left >= to - 1);
        return { name: name.textContent, fine: inside || free };
      });
    }));
    assert.deepEqual(over.filter((one) => !one.fine), [], zoom);
    assert.ok(over.length > 0, `${zoom}: a program has its name`);
  }
});
