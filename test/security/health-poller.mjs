// Asks `/healthz` every 10 ms from a process of its own, so that nothing the attacker does to itself counts. Ends with its standard input, and says what it saw.
import { Agent, request } from 'node:http';
import { setPriority } from 'node:os';

// Who measures must not wait for the attacker, who shares its core.
try {
  setPriority(-15);
} catch {
  // Then it waits, and the figures are worse than the host is.
}

const agent = new Agent({ keepAlive: true, maxSockets: 4 });
const url = new URL('/healthz', process.argv[2]);
/** The first ones warm up this process and its connections. */
const WARM_UP = 20;
const times = [];
let bad = 0;

function ask() {
  return new Promise((resolve) => {
    const started = performance.now();
    const done = (isGood) => {
      times.push(performance.now() - started);
      if (!isGood) bad += 1;
      resolve();
    };
    const asked = request(url, { agent, timeout: 5000 }, (response) => {
      response.resume().on('end', () => done(response.statusCode === 200));
    });
    asked.on('timeout', () => asked.destroy()).on('error', () => done(false));
    asked.end();
  });
}

const timer = setInterval(() => void ask(), 10);
process.stdin.resume().on('end', () => {
  clearInterval(timer);
  times.splice(0, Math.min(WARM_UP, times.length - 1));
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0;
  process.stdout.write(JSON.stringify({ asked: times.length, bad, p50: at(0.5), p99: at(0.99), max: at(1) }));
  agent.destroy();
  process.exit();
});
