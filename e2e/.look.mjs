import { serve } from './lib/server.mjs'; import { launch } from './lib/browser.mjs';
import { readFile } from 'node:fs/promises';
const s = await serve('/tmp/labsite'); const b = await launch();
const ctx = await b.newContext({viewport:{width:1280,height:800}}); const p = await ctx.newPage();
p.on('console', m => console.log('console', m.type(), m.text())); p.on('pageerror', e => console.log('error', e.message));
const shot = (n, o={}) => p.screenshot({path:`/tmp/u-${n}.png`, ...o});
await p.goto(s.url+'/lab?s=seed'); await p.locator('.right .answer').first().waitFor();
// 1 packets: build each layer by the select
await p.getByRole('tab', { name: /Packets/ }).click();
await p.getByRole('button', { name: 'make a packet' }).click();
for (const chain of ['ethernet / vlan id=5 / ipv4 / udp / payload 00','ethernet / mpls label=16 / mpls label=17 / ipv6 / icmp / payload 00','ethernet / ipv4 / gre key=7 csum=1 / ethernet / ipv6 / tcp','ethernet / ipv6 / udp / geneve vni=3 / ethernet / ipv4 / tcp','ethernet / ipv4 / udp / vxlan vni=9 / ethernet / vlan / ipv4 / icmp']) {
  await p.getByLabel('As layers').fill(chain); await p.waitForTimeout(150);
  console.log(chain, '|', await p.getByLabel('As bytes').inputValue().then(v => v.replaceAll(/\s/g,'').length/2), '|', await p.locator('.packet .problem').allInnerTexts(), '|', (await p.locator('.packets-list tbody tr').first().innerText()).replaceAll(/\s+/g,' '));
}
await shot('packets');
for (const kind of ['gre','geneve','mpls','tcp','vlan']) { await p.getByLabel('Add a layer').selectOption(kind); await p.waitForTimeout(120); }
console.log('added', await p.getByLabel('As layers').inputValue(), await p.locator('.packet .problem').allInnerTexts());
await shot('packets2');
// bad: payload before
await p.getByLabel('As layers').fill('ethernet / ipv4 ttl=999 / icmp'); await p.waitForTimeout(100);
console.log('bad', await p.locator('.packet .problem').allInnerTexts());
await p.getByLabel('As bytes').fill('zz'); await p.getByLabel('As bytes').dispatchEvent('change'); await p.waitForTimeout(100);
console.log('badhex', await p.locator('.packet .problem').allInnerTexts());
await p.getByLabel('As bytes').fill(''); await p.getByLabel('As bytes').dispatchEvent('change'); await p.waitForTimeout(100);
console.log('emptyhex', await p.locator('.packet .problem').allInnerTexts(), await p.getByLabel('As layers').inputValue());
// commands: completion
await p.getByRole('tab', { name: 'Commands' }).click();
const c = p.getByRole('textbox', { name: 'Commands' });
const whole = await c.inputValue();
await c.fill(whole + '\n# ip link add '); await c.press('Control+End'); await p.waitForTimeout(600);
console.log('next', await p.locator('#lab-next').innerText(), await p.locator('.choices').innerText());
await shot('complete');
await p.keyboard.type('br0 type br'); await p.waitForTimeout(200);
console.log('next', await p.locator('#lab-next').innerText(), await p.locator('.choices').innerText());
await p.keyboard.press('Control+ '); await p.waitForTimeout(600);
console.log('after', (await c.inputValue()).split('\n').at(-1), '|', await p.locator('.right .problem').allInnerTexts());
// undo
for (let i=0;i<3;i++) { await p.locator('.tools').getByRole('button', { name: 'Undo' }).click(); await p.waitForTimeout(50); console.log('undo', (await c.inputValue()).split('\n').length); }
// maps
await p.goto(s.url+'/lab?s=seed&tab=maps'); await p.locator('.right .answer').first().waitFor(); await p.waitForTimeout(500);
await shot('maps');
// program pane
await p.locator('.p-open').getByRole('button', { name: 'get_tag on decap' }).click(); await p.locator('.p-row').first().waitFor(); await p.waitForTimeout(800);
for (let i=0;i<6;i++) await p.getByRole('button', { name: /step into|Into|into/i }).first().click().catch(e => console.log('noin', e.message.slice(0,80)));
await p.waitForTimeout(300); await shot('pane', {fullPage:true});
await b.close(); await s.close();
