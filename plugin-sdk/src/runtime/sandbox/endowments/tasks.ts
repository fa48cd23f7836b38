import type { TaskError, TaskKind, TaskValue } from '../border.ts';
import { defineEndowment } from './endowment.ts';
import { makeSubtle } from './subtle.ts';
import { makeZlib } from './zlib.ts';

/** What takes a while: each task is answered by one `Guest.settle`, with plain data or the name and message of an error. */
export const tasks = defineEndowment({
  names: ['task', 'dropKey', 'openZlib', 'closeZlib', 'randomBytes', 'randomUuid'],
  make(scope) {
    const subtle = makeSubtle();
    const zlib = makeZlib(scope);
    let last = 0;
    async function run(kind: TaskKind, args: readonly unknown[]): Promise<TaskValue> {
      if (kind === 'zlib.write' || kind === 'zlib.end') {
        return await zlib.run(args[0] as number, kind === 'zlib.write' ? (args[1] as Uint8Array) : null);
      }
      return await subtle.run(kind, args);
    }
    return {
      values: {
        task(kind, args) {
          if (scope.isOver()) return 0;
          const call = scope.current();
          const task = ++last;
          // What a call awaited goes nowhere once it has ended, or its code would run on for ever.
          const unlessOver = (settle: () => void) => (call?.ended === true ? scope.guest().forget(task) : settle());
          void run(kind, args).then(
            (value) => unlessOver(() => scope.guest().settle(task, true, value)),
            (error: unknown) => unlessOver(() => scope.guest().settle(task, false, readTaskError(error))),
          );
          return task;
        },
        dropKey: (key) => subtle.drop(key),
        openZlib: zlib.open,
        closeZlib: zlib.close,
        randomBytes(length) {
          return crypto.getRandomValues(new Uint8Array(length));
        },
        randomUuid() {
          return crypto.randomUUID();
        },
      },
      dispose() {
        subtle.dispose();
        zlib.dispose();
      },
    };
  },
});

function readTaskError(error: unknown): TaskError {
  const { name, message } = error instanceof Error || error instanceof DOMException ? error : new Error('failed');
  return Object.freeze({ name, message });
}
