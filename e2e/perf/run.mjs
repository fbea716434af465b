// How fast the site is, in Chromium, against budgets.json. Prints a table; counts fail the run, and
// times too unless `--counts` is given (a shared machine has no time of its own).
//
//     node perf/run.mjs [--counts] [--site FOLDER]
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../lib/browser.mjs';
import { serve } from '../lib/server.mjs';
import { load, steps, walk } from './measure.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const budgets = JSON.parse(readFileSync(path.join(here, 'budgets.json'), 'utf8'));
const words = process.argv.slice(2);
const counts = words.includes('--counts');
// Echo requests a ping sends, for long traces: about 280 steps each with instructions.
const long = words.includes('--quick') ? [20] : [20, 200];
const named = words.indexOf('--site');
const site = named >= 0 ? words[named + 1] : process.env.HEADROOM_SITE ?? path.join(here, '../../dist');

const COUNTED = new Set(['nodes_per_step_most', 'requests_to_other_origins', 'memory_growth_kb_10000_steps']);
let failed = 0;
/** Prints a measurement as soon as it is there: on a busy machine the last ones may never come. */
function row(what, key, value, unit, note = '') {
  const budget = budgets[key];
  const over = value > budget;
  const matters = COUNTED.has(key) || !counts;
  if (over && matters) failed += 1;
  const mark = over ? (matters ? 'OVER' : 'over') : 'ok';
  console.log(`${mark.padEnd(5)}${what.padEnd(46)}${value.toFixed(value < 100 ? 1 : 0).padStart(8)} ${unit.padEnd(9)} of ${String(budget).padStart(5)}  ${note}`);
}

const server = await serve(site, { compress: true });
const browser = await launch();
try {
  const first = await load(browser, `${server.url}/`);
  row('start page, largest paint', 'largest_paint_ms_slowed_4x_10mbit', first.largest, 'ms', `CPU 4× slower, 10 Mbit/s; ${first.kb.toFixed(0)} KB`);
  row('start page, other origins', 'requests_to_other_origins', first.foreign, 'requests');
  const page = await load(browser, `${server.url}/s/seed`);
  row('scenario page, largest paint', 'largest_paint_ms_slowed_4x_10mbit', page.largest, 'ms', `${page.kb.toFixed(0)} KB`);

  const seed = await steps(browser, `${server.url}/s/seed`, { slow: 1 });
  row('seed: nodes changed in a step, most', 'nodes_per_step_most', seed.nodes.most, 'nodes', `median ${seed.nodes.median}, p95 ${seed.nodes.p95}, ${seed.count} steps`);
  row('seed: step to paint', 'step_to_paint_ms_p95', seed.paint.p95, 'ms', `median ${seed.paint.median.toFixed(1)}`);
  row('seed: longest task while stepping', 'longest_task_ms', seed.longest, 'ms');
  const slow = await steps(browser, `${server.url}/s/seed`, { slow: 4 });
  row('seed: script of a step', 'script_ms_p95_slowed_4x', slow.script.p95, 'ms', `CPU 4× slower; median ${slow.script.median.toFixed(1)}`);

  for (const pings of long) {
    const long = await steps(browser, `${server.url}/s/seed?z=instructions`, { slow: 1, pings, most: 120 });
    const name = `${long.total} steps`;
    row(`${name}: nodes changed in a step, most`, 'nodes_per_step_most', long.nodes.most, 'nodes', `median ${long.nodes.median}`);
    row(`${name}: script of a step`, 'step_to_paint_ms_p95', long.script.p95, 'ms', `median ${long.script.median.toFixed(1)}; to paint ${long.paint.p95.toFixed(1)}`);
  }

  const memory = await walk(browser, `${server.url}/s/seed?z=instructions`, 10_000);
  row('memory after 10,000 steps', 'memory_growth_kb_10000_steps', memory.growth, 'KB', `heap ${memory.heap.toFixed(0)} KB, module ${memory.module.toFixed(0)} KB`);
} finally {
  await browser.close();
  await server.close();
}

console.log(failed ? `${failed} over budget` : 'all within budget');
process.exit(failed ? 1 : 0);
