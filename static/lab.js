// Starts the module of compare, matrix and lab. The site's page adds this script when one of them is opened.
import init from '/headroom-lab.js';

// What can be taken along of a step is shown on a sheet, which is dressed as the palette is. (Not by an @import in lab.css:
// axe copies such a style sheet into the page, which the page's policy refuses.)
document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/find.css' }));

await init({ module_or_path: '/headroom-lab_bg.wasm' });
