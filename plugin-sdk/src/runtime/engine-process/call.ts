import type { Lane } from './lane.ts';
import type { HostMessage } from '../protocol/engine.ts';

export type InvokeMessage = Extract<HostMessage, { type: 'invoke' }>;
export type DescribeMessage = Extract<HostMessage, { type: 'describe' }>;

/** A call as the engine process knows it, from its arrival to its end. */
export interface EngineCall {
  readonly message: InvokeMessage | DescribeMessage;
  /** Local monotonic time of its deadline. */
  readonly deadlineAt: number;
  /** The lane that has it, `null` while it waits. */
  lane: Lane | null;
  /** Slot in the claims of that lane. */
  slot: number;
  /** When it was aborted; from then on nothing of it goes to the host but its end. */
  abortedAt: number | null;
  /** Number of the ping that went out with the abort. */
  abortPing: number;
  /** Whether the host has its outcome already (it was ended for what it did). */
  answered: boolean;
  /** Whether it is one of several that may have ended their thread. */
  suspect: boolean;
  /** Flood guard: start of the running second, messages and bytes in it. */
  secondAt: number;
  events: number;
  bytes: number;
}

export function createCall(message: InvokeMessage | DescribeMessage): EngineCall {
  return {
    message,
    deadlineAt: performance.now() + message.remainingMs,
    lane: null,
    slot: -1,
    abortedAt: null,
    abortPing: 0,
    answered: false,
    suspect: false,
    secondAt: 0,
    events: 0,
    bytes: 0,
  };
}

/** A description is always made in a worker of its own: nobody knows yet what the code does. */
export function runsAlone(call: EngineCall): boolean {
  return call.message.type === 'describe' || call.message.alone;
}

export function mayRerun(call: EngineCall): boolean {
  return call.message.type === 'describe' || call.message.rerun;
}
