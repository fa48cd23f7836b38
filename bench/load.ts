import { connect, type Socket } from 'node:net';

export interface Load {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers that were neither 200 nor 202. */
  readonly bad: number;
}

/**
 * Sends the same request over `connections` keep-alive connections, each the next one as soon as it has its answer, for `seconds` after a warm-up of a
 * quarter of that. Plain sockets: the libraries that are there round latencies to whole milliseconds, or are busier than the server that they measure.
 */
export async function load(url: string, connections: number, seconds: number, body: string): Promise<Load> {
  const target = new URL(url);
  const request = Buffer.from(
    `POST ${target.pathname}${target.search} HTTP/1.1\r\nHost: ${target.host}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const latencies: number[] = [];
  let bad = 0;
  let counting = false;
  let ended = false;

  function drive(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket: Socket = connect(Number(target.port), target.hostname);
      socket.setNoDelay(true);
      let sent = 0;
      let buffered = '';
      const send = () => {
        sent = performance.now();
        socket.write(request);
      };
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('close', () => (ended ? resolve() : reject(new Error('the server closed a connection'))));
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        buffered += chunk;
        const head = buffered.indexOf('\r\n\r\n');
        if (head === -1) return;
        const length = Number(/content-length: (\d+)/i.exec(buffered)?.[1]);
        if (buffered.length < head + 4 + length) return;
        if (counting) {
          latencies.push(performance.now() - sent);
          if (!buffered.startsWith('HTTP/1.1 20')) bad += 1;
        }
        buffered = '';
        if (ended) socket.end();
        else send();
      });
    });
  }

  const drivers = Array.from({ length: connections }, drive);
  await new Promise((resolve) => setTimeout(resolve, (seconds * 1000) / 4));
  counting = true;
  const from = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  counting = false;
  const took = performance.now() - from;
  ended = true;
  await Promise.all(drivers);
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
  return { requestsPerSecond: (latencies.length / took) * 1000, p50: at(0.5), p99: at(0.99), bad };
}
