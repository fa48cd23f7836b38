// Kills the host's whole process tree at random moments under load, and joins the ledgers of client, API and service: `npm run soak -- [moments] [seed]`.
import { cleanUp } from '../test/support/host-process.ts';
import { killAtRandomMoments } from '../test/durability/kills.ts';

const moments = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31));
const begun = performance.now();
try {
  const { broken, ...counts } = await killAtRandomMoments(moments, seed);
  process.stdout.write(
    `${JSON.stringify({ moments, seed, seconds: seconds(begun), ...counts, broken: broken.length })}\n`,
  );
  for (const line of broken) process.stdout.write(`${line}\n`);
  process.exitCode = broken.length === 0 ? 0 : 1;
} finally {
  await cleanUp();
}

function seconds(from: number): number {
  return Math.round((performance.now() - from) / 1000);
}
