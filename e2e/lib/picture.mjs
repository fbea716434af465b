// Whether two pictures look the same. They are compared in the browser, at half their size and by squares of four
// points: what differs by a shade, or by how an edge is smoothed, does not count; what stands elsewhere does.

/** In a page of the browser: gives how many squares differ, of how many, and where the first ones are. */
async function differing({ accepted, now, acceptedType }) {
  const load = async (data, type) => createImageBitmap(new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type }));
  const [old, fresh] = [await load(accepted, acceptedType), await load(now, 'image/png')];
  const [width, height] = [Math.round(fresh.width / 2), Math.round(fresh.height / 2)];
  if (old.width !== width || old.height !== height) return { size: [old.width, old.height, width, height] };
  const points = (picture) => {
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
  const [a, b] = [points(old), points(fresh)];
  const SIDE = 4;
  const SHADE = 20;
  const found = [];
  for (let top = 0; top + SIDE <= height; top += SIDE) {
    for (let left = 0; left + SIDE <= width; left += SIDE) {
      const sum = [0, 0, 0];
      for (let y = top; y < top + SIDE; y += 1) {
        for (let x = left; x < left + SIDE; x += 1) {
          for (let c = 0; c < 3; c += 1) sum[c] += a[(y * width + x) * 4 + c] - b[(y * width + x) * 4 + c];
        }
      }
      if (sum.some((one) => Math.abs(one) / (SIDE * SIDE) > SHADE)) found.push([left * 2, top * 2]);
    }
  }
  return { count: found.length, all: Math.floor(width / SIDE) * Math.floor(height / SIDE), first: found.slice(0, 6) };
}

/** Compares a picture (PNG) with an accepted one (WebP, half as large). */
export function compare(page, accepted, now) {
  return page.evaluate(differing, { accepted: accepted.toString('base64'), acceptedType: 'image/webp', now: now.toString('base64') });
}

/** A picture (PNG) as it is kept: half as large, WebP. */
export async function kept(page, now) {
  const data = await page.evaluate(async (now) => {
    const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(now), (c) => c.charCodeAt(0))], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(Math.round(picture.width / 2), Math.round(picture.height / 2));
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.9 });
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  }, now.toString('base64'));
  return Buffer.from(data, 'base64');
}
