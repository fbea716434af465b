// What a picture shows is there as text, all of it; and the focus is seen wherever it goes.
import assert from 'node:assert/strict';
import { test } from './lib/harness.mjs';

const STEPS = [
  '/s/seed?d=mac_header,meta_end&at=get_tag.exit@decap%231&z=functions',
  '/s/seed?d=meta_end&at=ip_tunnel_rcv.entry@rx%232&z=functions',
  '/s/decap-vxlan?d=mac_header',
];

for (const address of STEPS) {
  test(`every region, pointer and zone of the picture is in the table: ${address}`, async ({ page, url }) => {
    await page.goto(url + address);
    await page.locator('#app .controls').waitFor();
    await page.locator('.ribbon svg.live .region').first().waitFor({ state: 'attached' });
    await page.getByText('The picture as text').click();
    await page.locator('.text-view table tbody tr').first().waitFor();
    const found = await page.evaluate(() => [...document.querySelectorAll('.design')].map((figure, index) => {
      const table = document.querySelectorAll('.text-view table')[index];
      const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
      const missing = [];
      const seen = (element) => element.style.display !== 'none' && element.checkVisibility();
      let count = 0;
      for (const label of [...figure.querySelectorAll('.pl')].filter(seen)) {
        const [offset, ...names] = label.textContent.trim().split(/[\s·]+/);
        for (const name of names) {
          count += 1;
          if (!rows.some(([, place, what]) => place.startsWith(offset) && what.includes(name))) missing.push(`${name} at ${offset}`);
        }
      }
      for (const zone of [...figure.querySelectorAll('.zone')].filter(seen)) {
        const word = zone.getAttribute('class').split(' ').pop();
        count += 1;
        if (!rows.some(([kind, , what]) => kind === 'zone' && what.includes(word))) missing.push(`zone ${word}`);
      }
      const short = { tag: /tag|metadata|set_tag/i, data: /payload/i, Eth: /Ethernet/ };
      for (const region of [...figure.querySelectorAll('.region')].filter(seen)) {
        const [name] = region.textContent.trim().split(' ');
        if (!name) continue;
        count += 1;
        if (!rows.some(([kind, , what]) => !['zone', 'pointer'].includes(kind) && (short[name] ?? new RegExp(name)).test(what))) missing.push(`region ${name}`);
      }
      return { name: table.caption.textContent, missing, count };
    }));
    assert.ok(found.length > 0);
    for (const { name, missing, count } of found) {
      assert.ok(count > 10, `${name}: ${count} things are drawn`);
      assert.deepEqual(missing, [], name);
    }
  });
}

test('wherever Tab goes, the focus is seen', async ({ page, url }) => {
  for (const [address, there, least] of [['/', '.told h2', 15], ['/s/seed', '.controls', 30], ['/matrix?q=seed', '.cells tbody tr', 20], ['/lab?s=seed', '.right .answer', 30], ['/spec', '.rule', 15]]) {
    await page.goto(url + address);
    await page.locator(`#app ${there}, #later ${there}`).first().waitFor();
    const unseen = [];
    let count = 0;
    for (let n = 0; n < 60; n += 1) {
      await page.keyboard.press('Tab');
      const told = await page.evaluate(() => {
        const at = document.activeElement;
        if (!at || at === document.body) return null;
        // A field that is only there for a screen reader stands in a label that is framed; a device of the topology has
        // a frame of its own, which is drawn otherwise.
        const shown = at.classList.contains('sr') ? at.closest('label') : at;
        const style = getComputedStyle(shown);
        const drawn = at.matches('.dev') ? getComputedStyle(at.querySelector('rect')) : null;
        const focus = getComputedStyle(document.documentElement).getPropertyValue('--focus').trim();
        const probe = document.createElement('i');
        probe.style.color = focus;
        document.body.append(probe);
        const framed = drawn
          ? drawn.stroke === getComputedStyle(probe).color && parseFloat(drawn.strokeWidth) >= 2
          : style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
        probe.remove();
        return { framed, what: `${at.tagName}.${at.className?.baseVal ?? at.className} ${at.textContent.slice(0, 20)}` };
      });
      if (!told) break;
      count += 1;
      if (!told.framed) unseen.push(told.what);
    }
    assert.ok(count >= least, `${address}: ${count} stops`);
    assert.deepEqual(unseen, [], address);
  }
});
