// A worker thread that has been taken over, from its very first line: it takes calls as a lane does, and then does what their input says.
import fs from 'node:fs';
import { parentPort } from 'node:worker_threads';

export default function lane({ port, claims }) {
  const slots = new Int32Array(claims);
  const say = (...events) => port.postMessage(events);
  port.on('message', (commands) => {
    for (const command of commands) {
      if (command.type === 'ping') say({ type: 'pong', id: command.id });
      if (command.type !== 'invoke') continue;
      Atomics.compareExchange(slots, command.slot, 0, 1);
      // oxlint-disable-next-line typescript/no-implied-eval -- it is the attacker.
      const attack = new Function('lane', 'key', JSON.parse(command.input));
      attack({ port, parentPort, slots, say, fs, slot: command.slot }, command.key);
    }
  });
  say({ type: 'ready' });
  return new Promise(() => undefined);
}
