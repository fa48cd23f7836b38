import type { CallContext } from '../../contract/index.ts';
import type { BrokerReply } from '../protocol/engine.ts';
import type { BundleCode, CallHandlers, CallOutcome, CallRequest } from './types.ts';

/** What is asked of an engine: to run an action, or to describe a bundle. */
export type Work =
  | { readonly kind: 'invoke'; readonly request: CallRequest }
  | { readonly kind: 'describe'; readonly bundle: BundleCode; readonly deadline: number };

/** A call in the host, from `Engine.call` to its outcome; over several engines when it is run again. */
export interface Call {
  readonly work: Work;
  readonly handlers: CallHandlers;
  readonly resolve: (outcome: CallOutcome) => void;
  /** Takes its deadline and its listener away again. */
  dispose: () => void;
  /** Its number in the engine that has it now. */
  key: number;
  /** How often it was run again. */
  restarts: number;
  /** How many engines ended while it was on them. */
  deaths: number;
  /** It is under suspicion: no other call may be on its worker. */
  alone: boolean;
  /** It was there when an engine crashed: no other call may be on its engine. */
  quarantined: boolean;
  brokerCalls: number;
  /** What `restarted` gave: the context of this attempt; `null`: that of the request. */
  context: CallContext | null;
}

export function bundleOf(work: Work): BundleCode {
  return work.kind === 'invoke' ? work.request.bundle : work.bundle;
}

export function deadlineOf(work: Work): number {
  return work.kind === 'invoke' ? work.request.deadline : work.deadline;
}

/** Describing has no effects: it may always be done again. */
export function mayRerun(work: Work): boolean {
  return work.kind === 'describe' || work.request.idempotent;
}

/** Handlers of a description: its code has no run, and so no broker and no log. */
export const NO_HANDLERS: CallHandlers = {
  broker: () => Promise.resolve(NO_BROKER),
  log: () => undefined,
  logsDropped: () => undefined,
  progress: () => undefined,
  ended: () => undefined,
};

const NO_BROKER: BrokerReply = {
  ok: false,
  error: {
    code: 'PERMISSION_NOT_GRANTED',
    message: 'nothing can be reached while a plugin is loaded',
    retryable: false,
  },
};
