// Before the first paint, so that a chosen theme or density never flashes. A sandboxed frame has no storage.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  if (localStorage.getItem('density') === 'dense') document.documentElement.dataset.density = 'dense';
} catch {
  // As the system says.
}

// What the build drew is the page's opening picture. At another address (a host may give the start page
// for any), and where the address names a step, it would be the wrong one.
{
  const drawn = document.querySelector('meta[name="drawn"]');
  const here = location.pathname.replace(/\/+$/, '') || '/';
  const same = drawn?.content === here;
  if (drawn && !(same && location.search === '')) document.documentElement.dataset.other = '';
  // What the page opens with, while the module is still on its way.
  for (const href of same ? drawn.dataset.preload.split(' ') : []) {
    const link = document.createElement('link');
    Object.assign(link, { rel: 'preload', as: 'fetch', crossOrigin: 'anonymous', href });
    document.head.append(link);
  }
}

// Offline after the first visit. Later than the page itself: nobody waits for it. A sandboxed frame may not ask.
addEventListener('load', () => {
  setTimeout(() => {
    try {
      navigator.serviceWorker?.register('/sw.js').catch(() => {});
    } catch {
      // Then not.
    }
  }, 4000);
});
