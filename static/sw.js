// The site works offline after the first visit. The build writes the list of files and a version that
// changes with them; a new version takes the place of the old one as a whole.
const CACHE = 'headroom-VERSION';
const FILES = [/* FILES */];

addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      .then(() => skipWaiting()),
  );
});

addEventListener('activate', (event) => {
  const old = (names) => names.filter((name) => name.startsWith('headroom-') && name !== CACHE);
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(old(names).map((name) => caches.delete(name))))
      .then(() => clients.claim()),
  );
});

addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method === 'GET' && url.origin === location.origin) event.respondWith(answer(request, url));
});

// What the network has is newer; what was kept is there without it. An address of a page is the page itself.
async function answer(request, url) {
  try {
    const got = await fetch(request);
    if (got.ok && request.mode !== 'navigate') {
      const kept = got.clone();
      caches.open(CACHE).then((cache) => cache.put(url.pathname, kept)).catch(() => {});
    }
    return got;
  } catch (error) {
    const kept = await caches.match(request.mode === 'navigate' ? '/' : url.pathname);
    if (kept) return kept;
    throw error;
  }
}
