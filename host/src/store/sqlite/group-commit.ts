import type { Db } from './db.ts';
import { type Failure, failureOf, isFull, isLocked, lockedFailure, Refusal } from './failure.ts';
import { READS, WRITES } from './ops/index.ts';
import type { Answer, FromThread, Request } from './protocol.ts';

/** Milliseconds that a write waits for a lock of another process before it is refused, and between two tries. */
const LOCK_PATIENCE_MS = 5000;
const LOCK_RETRY_MS = 25;

interface HeldBatch {
  readonly writes: readonly Request[];
  /** Monotonic milliseconds. */
  readonly until: number;
}

/**
 * Carries out batches of requests: all writes of a batch in one transaction, answers after its commit. When an operation throws, the
 * transaction is rolled back and each request gets one of its own, so that a bad one harms only itself.
 *
 * While another process holds the write lock, writes wait here and not inside SQLite, so that reads go on.
 */
export class GroupCommit {
  readonly #db: Db;
  readonly #file: string;
  readonly #send: (message: FromThread) => void;
  readonly #lockPatienceMs: number;
  readonly #held: HeldBatch[] = [];
  #retry: NodeJS.Timeout | null = null;
  #troubled = false;

  constructor(db: Db, file: string, send: (message: FromThread) => void, lockPatienceMs = LOCK_PATIENCE_MS) {
    this.#db = db;
    this.#file = file;
    this.#send = send;
    this.#lockPatienceMs = lockPatienceMs;
  }

  run(requests: readonly Request[]): void {
    const writes = requests.filter(isWrite);
    const answers = writes.length > 0 && this.#held.length === 0 ? this.#commit(requests) : null;
    if (answers !== null) {
      this.#answer(answers);
      return;
    }
    this.#answer(requests.filter((request) => !isWrite(request)).map((request) => this.#read(request)));
    if (writes.length === 0) return;
    this.#held.push({ writes, until: performance.now() + this.#lockPatienceMs });
    this.#retry ??= setTimeout(() => this.#retryHeld(), LOCK_RETRY_MS);
  }

  /** Refuses what still waits for a lock. */
  close(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    for (const batch of this.#held.splice(0)) this.#refuse(batch);
  }

  #retryHeld(): void {
    this.#retry = null;
    let locked = false;
    for (let batch = this.#held[0]; batch !== undefined; batch = this.#held[0]) {
      const answers = locked ? null : this.#commit(batch.writes);
      if (answers !== null) {
        this.#answer(answers);
      } else {
        locked = true;
        if (batch.until > performance.now()) {
          this.#retry = setTimeout(() => this.#retryHeld(), LOCK_RETRY_MS);
          return;
        }
        this.#refuse(batch);
      }
      this.#held.shift();
    }
  }

  #refuse(batch: HeldBatch): void {
    const failure = lockedFailure(this.#file);
    this.#trouble(failure);
    this.#answer(batch.writes.map((request): Answer => [request[0], failure, null]));
  }

  /** Null: another process holds the lock, nothing has been done. */
  #commit(requests: readonly Request[]): readonly Answer[] | null {
    try {
      const answers = this.#transaction(requests);
      this.#recovered();
      return answers;
    } catch (error) {
      if (isLocked(error)) return null;
      if (isFull(error)) this.#shrinkLog();
      else if (requests.length === 1) return requests.map((request) => this.#failed(request, error));
    }
    return requests.map((request) => this.#alone(request));
  }

  #alone(request: Request): Answer {
    if (!isWrite(request)) return this.#read(request);
    try {
      const [answer] = this.#transaction([request]);
      this.#recovered();
      return answer ?? [request[0], null, null];
    } catch (error) {
      return this.#failed(request, error);
    }
  }

  #transaction(requests: readonly Request[]): readonly Answer[] {
    this.#db.change('BEGIN IMMEDIATE');
    try {
      const answers = requests.map((request): Answer => {
        try {
          return [request[0], null, carryOut(this.#db, request)];
        } catch (error) {
          // A refusal is thrown before anything is written, so the transaction is as it was.
          if (error instanceof Refusal) return this.#failed(request, error);
          throw error;
        }
      });
      this.#db.change('COMMIT');
      return answers;
    } catch (error) {
      // SQLite has rolled back by itself after some errors of the disk.
      if (this.#db.connection.inTransaction) this.#db.change('ROLLBACK');
      throw error;
    }
  }

  /** What the log holds twice is space to go on with: moves it into the database and cuts the log. */
  #shrinkLog(): void {
    try {
      this.#db.connection.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // No space for that either.
    }
  }

  #read(request: Request): Answer {
    try {
      return [request[0], null, carryOut(this.#db, request)];
    } catch (error) {
      return this.#failed(request, error);
    }
  }

  #failed(request: Request, error: unknown): Answer {
    const failure = failureOf(error, this.#file);
    if (failure.code === 'STORE_UNAVAILABLE' || failure.code === 'STORE_FULL') this.#trouble(failure);
    return [request[0], failure, null];
  }

  /** An empty list says that the batch was taken, so that the client sends the next one. */
  #answer(answers: readonly Answer[]): void {
    this.#send({ kind: 'answers', answers });
  }

  #trouble(failure: Failure): void {
    if (this.#troubled) return;
    this.#troubled = true;
    this.#send({ kind: 'trouble', failure });
  }

  #recovered(): void {
    if (!this.#troubled) return;
    this.#troubled = false;
    this.#send({ kind: 'recovered' });
  }
}

function isWrite(request: Request): boolean {
  return Object.hasOwn(WRITES, request[1]);
}

const OPERATIONS = { ...READS, ...WRITES };

function carryOut(db: Db, [, name, args]: Request): unknown {
  // Name and arguments belong together by the type of Request, which a union of tuples cannot express here.
  const operation = OPERATIONS[name] as (db: Db, args: unknown) => unknown;
  return operation(db, args);
}
