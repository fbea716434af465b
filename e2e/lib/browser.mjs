// Debian's Chromium, driven by playwright-core.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

// The first three let it run as root and without a screen; the others keep it from looking for
// hosts that a test machine may not reach.
const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Starts a browser with a profile of its own, which goes when it is closed. */
export async function launch() {
  const executablePath = process.env.CHROMIUM ?? places.find((place) => existsSync(place));
  if (!executablePath) {
    throw new Error('no Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM to one');
  }
  return chromium.launch({ executablePath, args });
}
