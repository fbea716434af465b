// Before the first paint, so that a chosen theme never flashes. A sandboxed frame has no storage.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // As the system says.
}
