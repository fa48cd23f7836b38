import { Agent, get } from 'node:http';

/**
 * A process of its own that asks servers for their health, in turn, one question at a time each, and tells its parent how long the answers took. Arguments:
 * URLs. On each message from the parent it answers with the times since the last message, an array per URL; a question that fails counts as Infinity.
 */
const urls = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });
let times: number[][] = urls.map(() => []);

for (const [index, url] of urls.entries()) void probe(index, url);
process.on('message', () => {
  process.send?.(times);
  times = urls.map(() => []);
});
process.on('disconnect', () => process.exit());

async function probe(index: number, url: string): Promise<void> {
  for (;;) {
    const from = performance.now();
    const ok = await ask(url);
    times[index]?.push(ok ? performance.now() - from : 1e9);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function ask(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent }, (response) => response.resume().on('end', () => resolve(response.statusCode === 200))).on(
      'error',
      () => resolve(false),
    );
  });
}
