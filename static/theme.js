// Before the first paint, so that a chosen theme never flashes. A sandboxed frame has no storage.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // As the system says.
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
