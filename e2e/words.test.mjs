// A word of the prose and what it names in the picture light one another: under the pointer, with the focus, both ways.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const READ = '/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions';

async function open(page, address) {
  await page.goto(address);
  await page.locator('#app .controls').waitFor();
  await page.locator('.ribbon svg .hx:not(:empty)').first().waitFor();
}

/** A word of a sentence; the pointer has been over the sentence, so that its words are marked. */
async function word(page, sentence, text) {
  await sentence.hover();
  const found = sentence.locator('.w', { hasText: new RegExp(`^${text}$`) }).first();
  await found.waitFor();
  return found;
}

const lit = (place) => place.locator('.lit').allTextContents();
const sentence = (page, index) => page.locator('.says .say').nth(index);
const picture = (page, index) => page.locator('.design .ribbon svg').nth(index);

test('a place in the sentence lights its bytes: in the picture of its design and in the grid', async ({ page, url }) => {
  await open(page, url + READ);
  await (await word(page, sentence(page, 0), '290–293')).hover();
  const shape = picture(page, 0).locator('.lit-bytes');
  await shape.waitFor();
  assert.equal(await page.locator('.lit-bytes').count(), 1, 'the other design’s sentence is another one');
  // The frame around the read lies over the same four bytes, 1.5 pixels wider on each side.
  const [bytes, read] = [await shape.boundingBox(), await picture(page, 0).locator('.read').boundingBox()];
  assert.ok(Math.abs(bytes.x - (read.x + 1.5)) < 2 && Math.abs(bytes.width - (read.width - 3)) < 4, JSON.stringify([bytes, read]));
  assert.deepEqual(await page.locator('[data-offset].lit').evaluateAll((all) => all.map((cell) => cell.dataset.offset)), ['290', '291', '292', '293']);
  await page.locator('h1').hover();
  await shape.waitFor({ state: 'detached' });
  assert.equal(await page.locator('.lit').count(), 0);
});

test('a header in the sentence lights its region, and the region its words', async ({ page, url }) => {
  await open(page, url + READ);
  await (await word(page, sentence(page, 0), 'GRE header')).hover();
  const gre = picture(page, 0).locator('.region.lit');
  await gre.waitFor();
  assert.equal((await gre.textContent()).trim(), 'GRE');
  // The other way round: the pointer over the bytes of that region.
  await page.locator('h1').hover();
  const box = await picture(page, 0).locator('.region', { hasText: 'GRE' }).locator('rect').boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await sentence(page, 0).locator('.w.lit').first().waitFor();
  assert.deepEqual(await lit(sentence(page, 0)), ['290–293', 'GRE header']);
  assert.deepEqual(await lit(sentence(page, 1)), [], 'the other sentence is about the other picture');
});

test('a field lights its pointer, a byte of the grid the places that hold it', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=functions`);
  await page.locator('.fields tbody tr', { hasText: 'mac_header' }).first().hover();
  const label = picture(page, 0).locator('.pl.lit');
  await label.waitFor();
  assert.match(await label.textContent(), /^294 .*mac_header/);
  // The line stands at the tick of that pointer.
  const [line, frame] = [await picture(page, 0).locator('.lit-pointer').boundingBox(), await picture(page, 0).locator('.read').boundingBox()];
  assert.ok(Math.abs(line.x + line.width / 2 - (frame.x + frame.width - 1.5)) < 3, 'the read ends at 294, where the MAC header is');
  await page.locator('[data-offset="253"]').focus();
  await sentence(page, 0).locator('.w.lit').first().waitFor();
  assert.deepEqual(await lit(sentence(page, 0)), ['252–255']);
});

test('by keyboard: Tab comes to the sentence, arrows go from word to word, a click leaves them to the steps', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=functions`);
  const before = page.url();
  await page.locator('.says').focus();
  await page.locator('.says .w').first().waitFor();
  await page.keyboard.press('ArrowRight');
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  assert.equal(await focused(), '290–293');
  assert.equal(await picture(page, 0).locator('.lit-bytes').count(), 1);
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), 'GRE header');
  await page.keyboard.press('End');
  assert.equal(await focused(), '252–255');
  assert.equal(page.url(), before, 'no step');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.lit').count(), 0);
  await page.locator('.says').click({ position: { x: 4, y: 4 } });
  await page.keyboard.press('ArrowLeft');
  // A step: the address says so a quarter of a second later.
  await page.waitForURL((url) => url.href !== before, { timeout: 2000 });
});

test('what is lit goes with its step, and stands right after another width', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=functions`);
  await (await word(page, sentence(page, 0), '290–293')).hover();
  await picture(page, 0).locator('.lit-bytes').waitFor();
  await page.keyboard.press('ArrowLeft');
  await picture(page, 0).locator('.lit-bytes').waitFor({ state: 'detached' });
  await page.keyboard.press('ArrowRight');
  await page.locator('.says').focus();
  await page.locator('.says .w').first().waitFor();
  // A step by keys is no click: the arrows are the words'.
  await page.keyboard.press('ArrowRight');
  await page.setViewportSize({ width: 1000, height: 800 });
  await page.waitForTimeout(500);
  const [bytes, read] = [await picture(page, 0).locator('.lit-bytes').boundingBox(), await picture(page, 0).locator('.read').boundingBox()];
  assert.ok(Math.abs(bytes.x - (read.x + 1.5)) < 2, JSON.stringify([bytes, read]));
});

test('the story’s words light its picture', async ({ page, url }) => {
  await page.goto(`${url}/?stop=reset`);
  await page.locator('.told p').waitFor();
  await page.locator('#app .ribbon .hx').first().waitFor();
  const told = page.locator('.told p');
  await told.hover();
  await told.locator('.w').first().waitFor();
  const names = await told.locator('.w').evaluateAll((all) => all.map((one) => one.dataset.names));
  assert.ok(names.includes('pointer mac_header'), names.join());
  await told.locator('.w[data-names="pointer mac_header"]').first().hover();
  await page.locator('.pl.lit', { hasText: 'mac_header' }).waitFor();
});

test('a rule has the picture of its step, and its words light it', async ({ page, url }) => {
  await page.goto(`${url}/spec#HR-DECAP-3`);
  const rule = page.locator('#HR-DECAP-3');
  await rule.locator('.ribbon svg').first().waitFor();
  assert.match(await rule.locator('.seen').innerText(), /read 524288/);
  const text = rule.locator('.text');
  await (await word(page, text, 'GRE header')).hover();
  assert.equal((await rule.locator('.region.lit:visible').textContent()).trim(), 'GRE');
  await (await word(page, rule.locator('.seen'), '252–255')).hover();
  await rule.locator('.lit-bytes:visible').waitFor();
  // And back: the picture's region lights the rule's words.
  await rule.locator('.ribbon svg:visible .region', { hasText: 'GRE' }).locator('rect').hover({ force: true });
  await text.locator('.w.lit', { hasText: 'GRE header' }).waitFor();
});

test('a sentence’s words are text: what a device is called never becomes more', async ({ page, url }) => {
  await open(page, `${url}/s/seed?d=mac_header&at=get_tag.exit@decap%231&z=functions`);
  await page.evaluate(() => {
    const line = document.createElement('p');
    line.className = 'say';
    line.textContent = '<img src=x onerror="window.ran=1"> at 290 <b>GRE</b>';
    document.querySelector('.says').append(line);
  });
  await (await word(page, sentence(page, 1), 'GRE')).hover();
  assert.equal(await page.locator('.says img, .says b b').count(), 0);
  assert.match(await sentence(page, 1).innerText(), /^<img src=x/);
});
