// A static file server for a built site, as a plain host would serve it: files by their type, and
// index.html for every address that is no file, because the site reads its state from the address.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.bin': 'application/octet-stream',
  '.o': 'application/octet-stream',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
};

/**
 * Serves the folder `root` on a free port of this machine; gives { url, close }. With `compress`, as a
 * host that stores everything compressed: what is measured then is what travels.
 */
export async function serve(root, { compress = false } = {}) {
  const packed = new Map();
  const pack = ({ name, bytes }) => {
    if (!packed.has(name)) packed.set(name, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
    return packed.get(name);
  };
  const base = path.resolve(root);
  const server = createServer(async (request, response) => {
    try {
      const { status, file } = await find(base, request.url ?? '/');
      // A page in a sandboxed frame (a slide) has no origin of its own: without the second header the
      // browser would not give it its own script. GitHub Pages and the like send it too.
      const headers = { 'Cache-Control': 'no-store', 'Access-Control-Allow-Origin': '*' };
      if (file === null) {
        response.writeHead(status, { ...headers, 'Content-Type': types['.txt'] });
        response.end('not found\n');
        return;
      }
      const type = types[path.extname(file.name).toLowerCase()] ?? 'application/octet-stream';
      if (compress && path.extname(file.name) !== '.woff2') {
        response.writeHead(status, { ...headers, 'Content-Type': type, 'Content-Encoding': 'br' });
        response.end(request.method === 'HEAD' ? undefined : pack(file));
        return;
      }
      response.writeHead(status, { ...headers, 'Content-Type': type });
      response.end(request.method === 'HEAD' ? undefined : file.bytes);
    } catch (error) {
      response.writeHead(500, { 'Content-Type': types['.txt'] });
      response.end(`${error}\n`);
    }
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

async function find(base, address) {
  let pathname;
  try {
    pathname = decodeURIComponent(new URL(address, 'http://localhost').pathname);
  } catch {
    return { status: 400, file: null };
  }
  const name = path.join(base, pathname);
  if (name !== base && !name.startsWith(base + path.sep)) return { status: 404, file: null };

  for (const candidate of [name, path.join(name, 'index.html')]) {
    const bytes = await read(candidate);
    if (bytes !== null) return { status: 200, file: { name: candidate, bytes } };
  }
  // A missing script or picture is missing; a deep link is the application.
  if (path.extname(pathname) in types) return { status: 404, file: null };
  const index = path.join(base, 'index.html');
  const bytes = await read(index);
  return bytes === null ? { status: 404, file: null } : { status: 200, file: { name: index, bytes } };
}

async function read(name) {
  try {
    return await readFile(name);
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes(error.code)) return null;
    throw error;
  }
}
