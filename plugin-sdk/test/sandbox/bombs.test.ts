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
