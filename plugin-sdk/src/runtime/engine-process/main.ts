import type { HostMessage } from '../protocol/engine.ts';
import { Outbox } from './outbox.ts';
import { readSettings } from './settings.ts';
import { Supervisor } from './supervisor.ts';

// Entry of the engine process. It has no rights but to read its own code and to start threads, and talks to the host over the
// IPC channel alone. It lives exactly as long as that: an exit would wait for threads that cannot be ended, SIGKILL does not.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// The terminal's Ctrl-C reaches the whole process group; when to end is the host's decision.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

const outbox = new Outbox((batch) => {
  process.send?.(batch);
});
const supervisor = new Supervisor(outbox, readSettings(process.argv[2]));
process.on('message', (batch) => supervisor.take(batch as HostMessage[]));
outbox.send({ type: 'ready' });
