// A host that is killed while its engine has a frozen thread; prints the engine's process id once it has.
import { hostile, TestEngine } from './harness.ts';

const engine = await TestEngine.start();
const bundle = hostile('mixed');
await engine.output(bundle, { action: 'echo' });
engine.start(bundle, { action: 'freeze' });
// The answer comes from another worker: by then the first one is known to be stuck.
await engine.output(bundle, { action: 'echo' });
process.stdout.write(`${engine.pids()[0]}\n`);
