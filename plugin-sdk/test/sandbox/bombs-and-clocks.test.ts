import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { TestLane } from './lane.ts';

const ACTIONS = `{ main: async (ctx, input) => {
  const packed = Uint8Array.from(atob(input.packed), (char) => char.charCodeAt(0));
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes += value.byteLength;
  }
} }`;

test('a small chunk that comes to more than 64 MB when it is decompressed is refused', async () => {
  await using lane = await TestLane.ofActions(ACTIONS);
  const packed = gzipSync(Buffer.alloc(200 * 1024 * 1024)).toString('base64');
  const before = process.memoryUsage.rss();
  const error = await lane.error({ input: { packed } });
  expect(error.message).toContain('64 MB');
  expect(process.memoryUsage.rss() - before).toBeLessThan(300 * 1024 * 1024);
  expect(await lane.output({ input: { packed: gzipSync('sound').toString('base64') } })).toBe(5);
});

test('a connector has no clock finer than a tenth of a millisecond, and no memory to count in that another thread shares', async () => {
  await using lane = await TestLane.ofActions(`{ main: async () => {
    const steps = new Set();
    let last = performance.now();
    for (const end = last + 20; last < end; ) {
      const now = performance.now();
      if (now !== last) steps.add(now - last);
      last = now;
    }
    const temporal = typeof Temporal === 'undefined' ? 0 : Number(Temporal.Now.instant().epochNanoseconds % 1_000_000n);
    return [Math.min(...steps) > 0.0999, temporal, typeof SharedArrayBuffer, typeof Atomics, typeof WebAssembly, typeof Temporal === 'undefined' || Temporal.Now.plainDateISO('UTC').toString() === new Date().toISOString().slice(0, 10), typeof Temporal === 'undefined' || Math.abs(Temporal.Now.zonedDateTimeISO().epochMilliseconds - Date.now()) < 5000];
  } }`);
  expect(await lane.output()).toEqual([true, 0, 'undefined', 'undefined', 'undefined', true, true]);
});
