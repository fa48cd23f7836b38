// The realm is locked first: what is imported below must find the intrinsics frozen before it sees anything of a plugin.
import { disarmProcess, lockRealm, refuseModules } from './realm.ts';
import { Lane } from './lane.ts';
import type { LaneStart } from '../protocol/worker.ts';

const endowed = lockRealm();
const lanes = new Set<Lane>();

// Node's own listener prints; what a connector does must not reach the engine's standard error.
process.removeAllListeners('warning');
process.on('unhandledRejection', (thrown) => {
  for (const lane of lanes) lane.uncaught(thrown, 'rejection');
});
process.on('uncaughtException', (thrown) => {
  for (const lane of lanes) lane.uncaught(thrown, 'exception');
});

/** A lane: the Piscina task that serves one bundle's calls for as long as its worker lives. */
export default async function lane(start: LaneStart): Promise<void> {
  const served = new Lane(start, endowed);
  lanes.add(served);
  refuseModules();
  disarmProcess();
  await served.serve();
  lanes.delete(served);
}
