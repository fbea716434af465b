// The page of the seed experiment: step, read, go back, reload, keys, commands.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const READ = '/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions';

const where = (page) => page.locator('.where code').innerText();
const says = (page) => page.locator('.says').innerText();
/** The address says where one is, a quarter of a second after the last step. */
const at = (page, step) => page.waitForURL((url) => url.searchParams.get('at') === step, { timeout: 2000 });

async function open(page, address) {
  await page.goto(address);
  await page.locator('.controls').waitFor();
}

test('the seed experiment opens at the read, with both values and the reason', async ({ page, url }) => {
  await open(page, `${url}/s/seed`);
  assert.match(await page.title(), /524288/);
  const said = await says(page);
  assert.match(said, /get_tag on decap read 524288/);
  assert.match(said, /bytes at 290–293 are the GRE header \(flags and version 0x0000, protocol 0x0800\)/);
  assert.match(said, /tag 42 is still at 252–255, 38 bytes below/);
  assert.match(said, /get_tag on decap read 42/);
  assert.deepEqual(await page.locator('.verdict').allInnerTexts(), [
    '✗ reads 00 00 08 00 = 524288 · garbage: the GRE header',
    '✓ reads 2a 00 00 00 = 42 · the bytes set_tag wrote',
  ]);
});

test('stepping from the start comes to the read; back and reload keep the step', async ({ page, url }) => {
  await open(page, `${url}/s/seed?at=get_tag.entry@decap%231`);
  assert.equal(await where(page), 'get_tag on decap, entry');
  // mac_header has no realign: its steps are there, marked as absent.
  await page.keyboard.press('ArrowRight');
  assert.match(await where(page), /bpf_skb_meta_realign/);
  assert.match(await page.locator('.design').first().innerText(), /no such step here/);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.equal(await where(page), 'get_tag on decap, exit');
  await at(page, 'get_tag.exit@decap#1');
  assert.match(await says(page), /524288/);

  await page.reload();
  await page.locator('.controls').waitFor();
  assert.equal(await where(page), 'get_tag on decap, exit');
  assert.match(await says(page), /524288/);

  // A jump is an entry in the history, stepping is not.
  await page.locator('.answer').first().click();
  assert.equal(await where(page), 'get_tag on rx, exit');
  await page.goBack();
  assert.equal(await where(page), 'get_tag on decap, exit');
  await page.goForward();
  assert.equal(await where(page), 'get_tag on rx, exit');
});

test('a step name typed with a plain # works as well', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap#1&z=functions`);
  assert.equal(await where(page), 'get_tag on decap, exit');
});

test('keys', async ({ page, url }) => {
  await open(page, url + READ);
  await page.keyboard.press('Home');
  assert.match(await page.locator('.where .n').innerText(), /^1 \//);
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.locator('.where .n').innerText(), /^1 \//);
  await page.keyboard.press('End');
  const [now, all] = (await page.locator('.where .n').innerText()).split(' / ');
  assert.equal(now, all);
  await page.keyboard.press('.');
  assert.equal(await where(page), 'get_tag on decap, exit');

  await page.keyboard.press('ArrowDown');
  assert.match(page.url(), /z=instructions/);
  assert.equal(await where(page), 'get_tag on decap, exit');
  await page.keyboard.press('ArrowLeft');
  assert.match(await where(page), /instruction \d+/);
  assert.equal(await page.locator('.regs dt').count(), 11);
  await page.keyboard.press('ArrowUp');
  assert.match(page.url(), /z=functions/);

  await page.keyboard.press('d');
  assert.equal(await page.locator('.design').count(), 1);
  assert.match(page.url(), /d=mac_header&/);
  await page.keyboard.press('d');
  assert.match(page.url(), /d=meta_end&/);
  await page.keyboard.press('d');
  assert.equal(await page.locator('.design').count(), 2);

  await page.keyboard.press('?');
  // The sheet is a script of its own, which is loaded now.
  await page.locator('dialog[open]').waitFor({ state: 'visible' });
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('dialog[open]').count(), 0);

  const before = await where(page);
  await page.keyboard.press(' ');
  await page.waitForFunction((text) => document.querySelector('.where code')?.textContent !== text, before);
  await page.keyboard.press(' ');
  const stopped = await where(page);
  await page.waitForTimeout(900);
  assert.equal(await where(page), stopped);
});

test('the scrubber speaks in words and moves the step', async ({ page, url }) => {
  await open(page, url + READ);
  const scrub = page.getByRole('slider', { name: 'Step' });
  assert.match((await scrub.getAttribute('aria-valuetext')) ?? '', /^step \d+ of \d+, get_tag on decap, exit$/);
  await scrub.focus();
  await page.keyboard.press('ArrowRight');
  assert.notEqual(await where(page), 'get_tag on decap, exit');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await where(page), 'get_tag on decap, exit');
});

test('a user step is said aloud', async ({ page, url }) => {
  await open(page, url + READ);
  const live = page.locator('.stepper > [aria-live]');
  assert.equal(await live.innerText(), '');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowRight');
  assert.match((await live.textContent()) ?? '', /524288/);
});

test('addresses that are broken give a notice and a picture', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=wishful&at=nonsense&z=atoms`);
  const notice = await page.locator('.notice').innerText();
  for (const word of ['wishful', 'nonsense', 'atoms']) assert.ok(notice.includes(word), notice);
  assert.equal(await page.locator('.design').count(), 2);
  await open(page, `${url}/s/seed?at=no_such_function.exit@rx%231`);
  assert.match(await page.locator('.notice').innerText(), /no_such_function/);
  await page.goto(`${url}/s/unheard-of`);
  assert.match(await page.locator('main').innerText(), /unheard-of/);
  await page.goto(`${url}/nowhere`);
  assert.match(await page.locator('main').innerText(), /Not here/);
});

test('wrong commands keep the input and the last result; right ones run again', async ({ page, url }) => {
  await open(page, url + READ);
  const area = page.locator('.editor textarea');
  const own = await area.inputValue();
  const broken = own.replace('ip link set dev rx up', 'ip link set dev rx upwards');
  await area.fill(broken);
  const problem = page.locator('.problem');
  await problem.waitFor();
  assert.match(await problem.innerText(), /Line 3, column \d+/);
  assert.match(await problem.innerText(), /upwards/);
  assert.equal(await area.inputValue(), broken);
  assert.match(await says(page), /524288/);
  assert.equal(await page.locator('.numbers .bad').innerText(), '3');

  await area.fill(own.replace('10.0.0.2/24', '10.0.0.2/16'));
  await problem.waitFor({ state: 'detached' });
  assert.match(await says(page), /524288/);

  // Output between the commands is no command, and is said to be skipped.
  await area.fill(own.replace('# bpftool prog tracelog', '# bpftool prog tracelog\n  ping-263 [003] bpf_trace_printk: 42'));
  await page.locator('.skipped summary', { hasText: 'skipped' }).waitFor();
});

test('an object file that is cut off is refused with a reason', async ({ page, url }) => {
  await open(page, url + READ);
  const elf = Buffer.from('7f454c4602010100000000000000000001', 'hex');
  await page.locator('input[type=file]').setInputFiles({ name: 'cut.bpf.o', mimeType: 'application/octet-stream', buffer: elf });
  await page.locator('.problem').waitFor();
  assert.match(await page.locator('.problem').innerText(), /cut\.bpf\.o/);
  assert.match(await says(page), /524288/);
});

test('a byte tells its life', async ({ page, url }) => {
  await open(page, url + READ);
  await page.locator('[role=gridcell][data-offset="292"]').click();
  assert.match(await page.locator('.life').innerText(), /GRE header, protocol, byte 0/);
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.locator('.panel.bytes h3').innerText(), /291/);
  assert.equal(await where(page), 'get_tag on decap, exit');
});

test('nothing is wider than the window, in any width and colour scheme', async ({ page, url, shots }) => {
  await open(page, url + READ);
  await shots('seed-read');
});

test('a swipe of a finger to the right is a step back, not the page before', { context: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } }, async ({ page, url, context }) => {
  await page.goto(`${url}/s/seed?d=mac_header`);
  await page.locator('.controls').waitFor();
  const finger = await context.newCDPSession(page);
  const touch = (type, x) => finger.send('Input.dispatchTouchEvent', { type, touchPoints: x === null ? [] : [{ x, y: 300 }] });
  const swipe = async (from, to) => {
    await touch('touchStart', from);
    for (let n = 1; n <= 6; n += 1) await touch('touchMove', from + ((to - from) * n) / 6);
    await touch('touchEnd', null);
  };
  const at = () => page.locator('.where').innerText();
  const before = await at();
  await swipe(320, 80);
  await page.waitForFunction((before) => document.querySelector('.where').innerText !== before, before);
  await swipe(80, 320);
  await page.waitForTimeout(800);
  assert.match(page.url(), /\/s\/seed/);
  assert.equal(await at(), before);
});

test('on touch, a swipe over the picture is a step', { context: { viewport: { width: 390, height: 844 }, hasTouch: true } }, async ({ page, url }) => {
  await open(page, `${url}/s/seed?at=get_tag.entry@decap%231`);
  const swipe = (selector, from, to) => page.evaluate(([selector, from, to]) => {
    const target = document.querySelector(selector);
    const touch = (x) => new Touch({ identifier: 1, target, clientX: x, clientY: 300 });
    target.dispatchEvent(new TouchEvent('touchstart', { touches: [touch(from)], changedTouches: [touch(from)], bubbles: true }));
    target.dispatchEvent(new TouchEvent('touchend', { touches: [], changedTouches: [touch(to)], bubbles: true }));
  }, [selector, from, to]);
  const first = await where(page);
  await swipe('.says', 300, 100);
  assert.notEqual(await where(page), first);
  await swipe('.says', 100, 300);
  assert.equal(await where(page), first);
  // Too short, and over the scrubber: nothing.
  await swipe('.says', 200, 180);
  await swipe('.controls', 300, 100);
  assert.equal(await where(page), first);
});

for (const width of [1280, 1440, 1920]) {
  test(`at ${width} each byte of the picture stands in the middle of its place, and beside no other`, async ({ page, url }) => {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(`${url}/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions`);
    await page.locator('.ribbon svg .hx:not(:empty)').first().waitFor();
    await page.evaluate(() => document.fonts.ready);
    const found = await page.evaluate(() => [...document.querySelectorAll('.design .ribbon svg')].map((svg) => {
      const left = svg.getBoundingClientRect().left;
      // As wide as its bytes are: 20 of IPv4, 14 of Ethernet, 4 of the tag and of GRE.
      const regions = [['.f-ethernet', 14], ['.f-ipv4', 20], ['.f-metadata', 4]].flatMap(([name, bytes]) => [...svg.querySelectorAll(`.region${name} rect`)].map((rect) => {
        const box = rect.getBoundingClientRect();
        return { at: box.left - left, unit: box.width / bytes };
      }));
      const pairs = [];
      for (const text of svg.querySelectorAll('.hx')) {
        const said = text.textContent;
        const right = text.getScreenCTM().e - left;
        const digit = 0.6 * parseFloat(getComputedStyle(text).fontSize);
        for (let n = 0; n + 1 < said.length; n += 3) {
          if (!/^[0-9a-f]{2}$/.test(said.slice(n, n + 2))) continue;
          const from = right + text.getStartPositionOfChar(n).x;
          pairs.push([from, right + text.getStartPositionOfChar(n + 1).x + digit]);
        }
      }
      return { regions, pairs: pairs.sort((a, b) => a[0] - b[0]) };
    }));
    assert.equal(found.length, 2);
    for (const { regions, pairs } of found) {
      assert.ok(regions.length >= 3 && pairs.length > 60, `${regions.length} regions, ${pairs.length} bytes`);
      const unit = regions[0].unit;
      for (const region of regions) {
        assert.ok(Math.abs(region.unit - unit) < 0.01, `a byte is ${region.unit} and ${unit} wide`);
        const first = pairs.find(([from]) => from > region.at - 0.5);
        const middle = (first[0] + first[1]) / 2 - region.at;
        assert.ok(Math.abs(middle - unit / 2) < 0.3, `the first byte of a region is ${middle} from its left, half a place is ${unit / 2}`);
      }
      for (const [index, [from]] of pairs.entries()) {
        const before = pairs[index - 1];
        assert.ok(!before || from - before[1] > unit * 0.1, `bytes at ${before?.[1]} and ${from} touch`);
      }
      // As large as the place lets it be: its digits are taller than 11 pixels at the narrowest.
      assert.ok(pairs[0][1] - pairs[0][0] > unit * 0.8 || unit > 18, `a pair is ${pairs[0][1] - pairs[0][0]} wide of ${unit}`);
    }
  });
}
