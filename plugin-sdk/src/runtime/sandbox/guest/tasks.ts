import type { TaskError, TaskKind, TaskValue } from '../border.ts';
import { DOMException } from './dom-exception.ts';
import { outer } from './outer.ts';

interface Waiting {
  resolve(value: TaskValue): void;
  reject(error: unknown): void;
}

const waiting = new Map<number, Waiting>();

/** Work of the outer realm that takes a while. Rejects with guest errors of the same name; never settles when the call that asked has ended. */
export function runTask(kind: TaskKind, args: readonly unknown[]): Promise<TaskValue> {
  return new Promise((resolve, reject) => {
    const task = outer.task(kind, args);
    if (task !== 0) waiting.set(task, { resolve, reject });
  });
}

/** Nobody is to hear of this task any more. */
export function forgetTask(task: number): void {
  waiting.delete(task);
}

export function settleTask(task: number, ok: boolean, value: TaskValue | TaskError): void {
  const entry = waiting.get(task);
  waiting.delete(task);
  if (ok) entry?.resolve(value as TaskValue);
  else entry?.reject(errorLike(value as TaskError));
}

function errorLike({ name, message }: TaskError): Error {
  if (name === 'TypeError') return new TypeError(message);
  if (name === 'RangeError') return new RangeError(message);
  if (name === 'SyntaxError') return new DOMException(message, 'SyntaxError');
  if (name === 'Error') return new TypeError(message);
  return new DOMException(message, name);
}
