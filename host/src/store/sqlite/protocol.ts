import type { Failure } from './failure.ts';
import type { OpArgs, OpName } from './ops/index.ts';

/** Messages between the host and the store thread. Every request gets exactly one answer; a thread that dies is answered for by the client. */

export type Request<Name extends OpName = OpName> = readonly [id: number, op: Name, args: OpArgs<Name>];

/** `failure` null: `value` is the operation's result. */
export type Answer = readonly [id: number, failure: Failure | null, value: unknown];

export type ToThread =
  /** What the host asked for within one turn of its event loop. */
  | { readonly kind: 'batch'; readonly requests: readonly Request[] }
  /** Copies the database to a file while work goes on. */
  | { readonly kind: 'backup'; readonly id: number; readonly file: string }
  /** Finish what was sent, put the log into the database, end. */
  | { readonly kind: 'close' };

export type FromThread =
  /** The database is open. */
  | { readonly kind: 'ready' }
  /** It could not be opened; the thread ends. */
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** Sent after the commit of everything in it. */
  | { readonly kind: 'answers'; readonly answers: readonly Answer[] }
  /** Writes have begun to fail, or to wait for a lock; said once until they work again. */
  | { readonly kind: 'trouble'; readonly failure: Failure }
  | { readonly kind: 'recovered' };

export interface ThreadData {
  readonly dataDir: string;
}
