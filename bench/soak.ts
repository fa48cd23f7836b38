// `npm run soak`: attacks the built host from outside, counts what it loses, and measures how it ends things. `--quick` does a few rounds of each;
// `--only=bombs,health` some of it; `--times=N` sets the rounds of all. Exit status 1 when a bar is missed.
import { startInnocents, startLab, type Lab } from '../test/attacks/lab.ts';
import { cleanUp } from '../test/support/host-process.ts';
import { bombs } from './soak/bombs.ts';
import { deadlines } from './soak/deadlines.ts';
import { engineLoss } from './soak/engine-loss.ts';
import { health } from './soak/health.ts';
import { kills } from './soak/kills.ts';
import { quarantine } from './soak/quarantine.ts';
import { shutdown } from './soak/shutdown.ts';
import { none, print, type Row } from './soak/table.ts';
import { timeouts } from './soak/timeouts.ts';

interface Part {
  /** Rounds in full and quick. */
  readonly rounds: readonly [number, number];
  /** Whether others' runs go on beside it, none of which may be lost. */
  readonly innocents: boolean;
  run(lab: Lab, times: number): Promise<readonly Row[]>;
}

const PARTS: Readonly<Record<string, Part>> = {
  deadlines: { rounds: [100, 10], innocents: true, run: deadlines },
  'deadlines-alone': { rounds: [100, 10], innocents: false, run: deadlines },
  health: { rounds: [4, 1], innocents: true, run: health },
  bombs: { rounds: [50, 2], innocents: true, run: bombs },
  engine: { rounds: [50, 5], innocents: false, run: engineLoss },
  quarantine: { rounds: [1, 1], innocents: true, run: quarantine },
  shutdown: { rounds: [50, 3], innocents: false, run: (_lab, times) => shutdown(times) },
  kills: { rounds: [50, 6], innocents: false, run: (_lab, times) => kills(times) },
  timeouts: { rounds: [1000, 100], innocents: false, run: timeouts },
};

const flags = process.argv.slice(2);
const valueOf = (name: string) => flags.find((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3);
const only = valueOf('only')?.split(',') ?? Object.keys(PARTS);
const times = valueOf('times');
let missed = 0;

// Whatever goes wrong, no host is left.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void cleanUp().then(() => process.exit(1)));
process.on('uncaughtException', (error) => {
  console.error(error);
  void cleanUp().then(() => process.exit(1));
});

for (const name of only) {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`--only: there is no "${name}"; there are ${Object.keys(PARTS).join(', ')}`);
  const rounds = times === undefined ? part.rounds[flags.includes('--quick') ? 1 : 0] : Number(times);
  const lab = await startLab();
  await lab.run('innocent', 'answer');
  const innocents = part.innocents ? startInnocents(lab, 2) : null;
  const rows = [...(await part.run(lab, rounds))];
  if (innocents !== null) {
    await innocents.stop();
    rows.push(none('innocent runs lost or failed beside it', innocents.lost, innocents.answered));
  }
  const grave = lab.host.lines.filter(({ level }) => level === 'error' || level === 'fatal');
  rows.push(
    none(
      'lines of the host with level error or fatal',
      grave.map((line) => JSON.stringify(line)),
    ),
  );
  await cleanUp();
  print(name, rows);
  missed += rows.filter(({ ok }) => !ok).length;
}
console.log(`\n${missed === 0 ? 'all bars were reached' : `${missed} bars were missed`}`);
process.exitCode = missed === 0 ? 0 : 1;
