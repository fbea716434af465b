// Runs every e2e/*.test.mjs in node's own test runner, one file after the other.
//
//     node run.mjs                  the site in dist/ (HEADROOM_SITE names another folder)
//     node run.mjs site             only files whose name contains "site"
//     HEADROOM_URL=http://127.0.0.1:8080 node run.mjs     a site that is being served
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no e2e/*.test.mjs${wanted.length ? ` matches ${wanted.join(', ')}` : ''}`);
  process.exit(2);
}

const child = spawn(
  process.execPath,
  ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files],
  { cwd: here, stdio: 'inherit' },
);
child.on('error', (error) => {
  console.error(`node can't be started: ${error.message}`);
  process.exit(2);
});
child.on('exit', (code) => process.exit(code ?? 1));
