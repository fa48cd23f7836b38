import { killAtRandomMoments } from '../../test/durability/kills.ts';
import { none, type Row } from './table.ts';

/** SIGKILL to the whole process tree at random moments under load. `GOFLOW_SEED` gives the same moments again. */
export async function kills(times: number): Promise<readonly Row[]> {
  const seed = Number(process.env['GOFLOW_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const { acknowledged, runs, repeated, broken } = await killAtRandomMoments(times, seed);
  const what = `seed ${seed}: ${acknowledged} runs acknowledged, ${runs} made, ${repeated} attempts after the first; lost, unfinished, or begun twice`;
  return [none(what, broken, acknowledged)];
}
