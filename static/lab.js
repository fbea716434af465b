// Starts the module of compare, matrix and lab. The site's page adds this script when one of them is opened.
import init from '/headroom-lab.js';

await init({ module_or_path: '/headroom-lab_bg.wasm' });
