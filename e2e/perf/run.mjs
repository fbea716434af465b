// How fast the site is, in Chromium, against budgets.json. Prints a table; counts fail the run, and
// times too unless `--counts` is given (a shared machine has no time of its own). What a step costs is
// processor time of the browser's main thread (tracing.mjs); the times by the clock stand beside it.
//
//     node perf/run.mjs [--counts] [--quick] [--million] [--site FOLDER]
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
// Echo requests a ping sends, for long traces: about 565 steps each with instructions, under two designs.
const pings = words.includes('--million') ? [20, 1800] : words.includes('--quick') ? [20] : [20, 200];
const named = words.indexOf('--site');
const site = named >= 0 ? words[named + 1] : process.env.HEADROOM_SITE ?? path.join(here, '../../dist');

const COUNTED = new Set(['nodes_per_step_p95', 'requests_to_other_origins', 'memory_growth_kb_10000_steps']);
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

const spread = ({ median, most }) => `median ${median.toFixed(1)}, most ${most.toFixed(1)}`;
/** What a step costs, of one walk. */
function rows(name, walk) {
  row(`${name}: nodes changed in a step`, 'nodes_per_step_p95', walk.nodes.p95, 'nodes', `median ${walk.nodes.median}, most ${walk.nodes.most}, above 100 in ${walk.over} of ${walk.count} steps`);
  row(`${name}: script of a step, four times`, 'script_ms_p95_slowed_4x', 4 * walk.script.p95, 'ms', `unslowed p95 ${walk.script.p95.toFixed(2)}, ${spread(walk.script)}, without the ${walk.empty.toFixed(2)} ms of the measure; until the next task by the clock p95 ${walk.clock.script.p95.toFixed(1)}`);
  row(`${name}: step to paint`, 'step_to_paint_ms_p95', walk.both.p95, 'ms', `${spread(walk.both)}; of it style, layout, paint p95 ${walk.frame.p95.toFixed(1)}; by the clock p95 ${walk.clock.paint.p95.toFixed(1)}`);
  row(`${name}: longest task while stepping`, 'longest_task_ms', walk.longest, 'ms', 'by the clock');
}

const server = await serve(site, { compress: true });
const browser = await launch();
try {
  const first = await load(browser, `${server.url}/`);
  row('start page, largest paint', 'largest_paint_ms_slowed_4x_10mbit', first.largest, 'ms', `CPU 4× slower, 10 Mbit/s; ${first.kb.toFixed(0)} KB`);
  row('start page, other origins', 'requests_to_other_origins', first.foreign, 'requests');
  const page = await load(browser, `${server.url}/s/seed`);
  row('scenario page, largest paint', 'largest_paint_ms_slowed_4x_10mbit', page.largest, 'ms', `${page.kb.toFixed(0)} KB`);

  rows('seed', await steps(browser, `${server.url}/s/seed`, {}));
  const slow = await steps(browser, `${server.url}/s/seed`, { slow: 4, most: 200 });
  console.log(`     with the CPU slowed down 4×, by the clock: until the next task ${spread(slow.clock.script)}, p95 ${slow.clock.script.p95.toFixed(1)} ms`);

  for (const count of pings) {
    const long = await steps(browser, `${server.url}/s/seed?z=instructions`, { pings: count, most: 120, start: 0.5 });
    rows(`${long.total} steps`, long);
  }

  const memory = await walk(browser, `${server.url}/s/seed?z=instructions`, 10_000);
  row('memory after 10,000 steps', 'memory_growth_kb_10000_steps', memory.growth, 'KB', `heap ${memory.heap.toFixed(0)} KB, module ${memory.module.toFixed(0)} KB`);
} finally {
  await browser.close();
  await server.close();
}

console.log(failed ? `${failed} over budget` : 'all within budget');
process.exit(failed ? 1 : 0);
