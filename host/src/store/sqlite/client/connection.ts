import { Worker } from 'node:worker_threads';
import { systemContext, type Context } from '../../../core/context.ts';
import { GoflowError, type HostErrorCode } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { StoreMeter } from '../../../metrics/store-meter.ts';
import type { Failure } from '../failure.ts';
import type { OpArgs, OpName, OpResult } from '../ops/index.ts';
import type { Answer, FromThread, Request, ThreadData, ToThread } from '../protocol.ts';
import { threadFile } from '../thread-file.ts';

interface Pending {
  readonly op: OpName | 'backup';
  /** In the milliseconds of `performance.now()`. */
  readonly askedAt: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (failure: Failure) => void;
}

/** Milliseconds between two tries to start a store thread that has died. */
const RESTART_MS = 1000;
/** Milliseconds between two tries to write while writes fail: nobody else may be writing who would notice that they work again. */
const PROBE_MS = 1000;

/**
 * The client's end of the store thread. Requests of one event-loop turn leave as one message. When the thread dies, whatever waits for it is
 * rejected with STORE_UNAVAILABLE and a new thread is started every second until one opens the database.
 */
export class StoreConnection {
  readonly #dataDir: string;
  readonly #log: Logger;
  readonly meter = new StoreMeter();
  readonly #pending = new Map<number, Pending>();
  #queue: Request[] = [];
  /** Whether the thread has a batch that it has not acknowledged: what is asked meanwhile shares the next one. */
  #batchSent = false;
  #lastId = 0;
  /** Null: no thread that has opened the database. */
  #thread: Worker | null = null;
  #restart: NodeJS.Timeout | null = null;
  #closed = false;
  #lastFailure = 'the store thread is not running';
  /** Why writes do not work at the moment. */
  #trouble: Failure | null = null;

  constructor(dataDir: string, log: Logger) {
    this.#dataDir = dataDir;
    this.#log = log;
  }

  /** Resolves when the database is open. */
  async open(): Promise<void> {
    const thread = new Worker(threadFile(), {
      name: 'store',
      workerData: { dataDir: this.#dataDir } satisfies ThreadData,
      execArgv: [],
      env: {},
    });
    await new Promise<void>((resolve, reject) => {
      let opened = false;
      thread.on('message', (message: FromThread) => {
        if (message.kind === 'ready') {
          opened = true;
          this.#thread = thread;
          this.#lastFailure = 'the store thread ended unexpectedly';
          resolve();
        } else if (message.kind === 'refused') {
          reject(errorOf(message.failure));
        } else {
          this.#receive(message);
        }
      });
      thread.on('error', (error) => {
        this.#lastFailure = `the store thread failed: ${error instanceof Error ? error.message : String(error)}`;
      });
      thread.on('exit', () => {
        if (opened) this.#lost();
        else reject(errorOf(this.#unavailable()));
      });
    });
  }

  /**
   * Asks the thread. Rejects with the context's reason when the context has ended before. `facts` are written for an ended context too:
   * they record what has happened.
   */
  call<Name extends OpName>(ctx: Context, op: Name, args: OpArgs<Name>, facts = false): Promise<OpResult<Name>> {
    return new Promise<OpResult<Name>>((resolve, reject) => {
      const refusal = facts ? this.#refusal(null) : this.#refusal(ctx);
      if (refusal !== null) {
        reject(refusal);
        return;
      }
      const id = (this.#lastId += 1);
      this.#pending.set(id, {
        op,
        askedAt: performance.now(),
        resolve: resolve as (value: unknown) => void,
        reject: (failure) => reject(publicError(failure)),
      });
      // After this turn's other input has been read, so that what it asks for goes along.
      if (this.#queue.push([id, op, args]) === 1 && !this.#batchSent) setImmediate(() => this.#flush());
    });
  }

  backup(ctx: Context, file: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal(ctx);
      if (refusal !== null) {
        reject(refusal);
        return;
      }
      const id = (this.#lastId += 1);
      this.#pending.set(id, {
        op: 'backup',
        askedAt: performance.now(),
        resolve: () => resolve(),
        reject: (failure) => reject(errorOf(failure)),
      });
      this.#flush();
      this.#post({ kind: 'backup', id, file });
    });
  }

  /** Rejects when the thread does not answer, or when writes are known to fail at the moment. */
  async ping(ctx: Context): Promise<void> {
    await this.call(ctx, 'ping', null);
    if (this.#trouble !== null) throw publicError(this.#trouble);
  }

  /** Sends what was asked for, waits until it is done and the file is closed. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#lastFailure = 'the store is closed';
    const thread = this.#thread;
    if (thread === null) return;
    const exited = new Promise((resolve) => thread.once('exit', resolve));
    this.#flush();
    this.#post({ kind: 'close' });
    await exited;
  }

  #refusal(ctx: Context | null): Error | null {
    if (ctx?.signal?.aborted === true) return asError(ctx.signal.reason);
    if (ctx !== null && ctx.deadline <= performance.now()) {
      return new DOMException('the deadline passed before the store was asked', 'TimeoutError');
    }
    if (this.#closed || this.#thread === null) return publicError(this.#unavailable());
    return null;
  }

  #unavailable(): Failure {
    return { code: 'STORE_UNAVAILABLE', message: this.#lastFailure };
  }

  #flush(): void {
    const requests = this.#queue;
    if (requests.length === 0) return;
    this.#queue = [];
    this.#batchSent = true;
    this.meter.batchSent(requests.length);
    this.#post({ kind: 'batch', requests });
  }

  #post(message: ToThread): void {
    this.#thread?.postMessage(message);
  }

  #receive(message: FromThread): void {
    switch (message.kind) {
      case 'answers':
        for (const answer of message.answers) this.#settle(answer);
        this.#batchSent = false;
        // What the answers set off in this turn goes along, too.
        if (this.#queue.length > 0) setImmediate(() => this.#flush());
        return;
      case 'trouble':
        this.#log.error(null, `store: ${message.failure.message}`, { 'error.code': message.failure.code });
        this.#trouble = message.failure;
        this.#probeSoon();
        return;
      case 'recovered':
        this.#trouble = null;
        this.#log.info(null, 'store: writes work again');
        return;
      case 'ready':
      case 'refused':
        // Handled where the thread is started.
        return;
    }
  }

  #settle([id, failure, value]: Answer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.meter.answered(pending.op, performance.now() - pending.askedAt, failure?.code);
    if (failure === null) {
      pending.resolve(value);
      return;
    }
    if (failure.code === 'INTERNAL') this.#log.error(null, failure.message);
    pending.reject(failure);
  }

  #lost(): void {
    this.#thread = null;
    this.#trouble = null;
    this.#queue = [];
    this.#batchSent = false;
    for (const pending of this.#pending.values()) pending.reject(this.#unavailable());
    this.#pending.clear();
    if (this.#closed) return;
    this.#log.error(null, 'store thread ended, starting another', { 'error.message': this.#lastFailure });
    this.#restartSoon();
  }

  #probeSoon(): void {
    setTimeout(() => {
      if (this.#trouble === null || this.#closed) return;
      // Whether it works comes as a message of its own.
      void this.call(systemContext(), 'probe', null)
        .catch(() => {})
        .finally(() => this.#probeSoon());
    }, PROBE_MS).unref();
  }

  #restartSoon(): void {
    this.#restart = setTimeout(() => void this.#reopen(), RESTART_MS);
  }

  async #reopen(): Promise<void> {
    try {
      await this.open();
      if (this.#closed) this.#post({ kind: 'close' });
      this.#log.info(null, 'store thread runs again');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#lastFailure) this.#log.error(null, `store: ${message}`);
      this.#lastFailure = message;
      if (!this.#closed) this.#restartSoon();
    }
  }
}

/** For the operator: with the file and what to do. */
function errorOf(failure: Failure): GoflowError {
  return new GoflowError(failure.code, failure.message, failure.code === 'STORE_UNAVAILABLE' ? { retryAfter: 1 } : {});
}

const PUBLIC_MESSAGES: Partial<Record<HostErrorCode, string>> = {
  STORE_UNAVAILABLE: 'the store cannot be used at the moment; nothing was written, try again later',
  STORE_FULL: 'the host has no space left to store this; nothing was written',
  INTERNAL: 'internal error of the store',
};

/** For whoever sent the request: without paths of this machine, which are in the log and in `cause`. */
function publicError(failure: Failure): GoflowError {
  const message = PUBLIC_MESSAGES[failure.code];
  if (message === undefined) return new GoflowError(failure.code, failure.message);
  return new GoflowError(failure.code, message, {
    cause: new Error(failure.message),
    ...(failure.code === 'STORE_UNAVAILABLE' ? { retryAfter: 1 } : {}),
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException(String(reason), 'AbortError');
}
