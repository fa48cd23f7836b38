import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { encodeBatch, PIPE_FD, TOKEN_BYTES } from '../protocol/frames.ts';
import type { EngineMessage, EngineStats, HostMessage } from '../protocol/engine.ts';
import type { Call } from './call.ts';
import { causeOfExit, type DeathCause } from './guilt.ts';
import { Intake } from './intake.ts';
import { engineArguments } from './paths.ts';
import type { BundleCode, CallHandlers } from './types.ts';

/** How much of an engine's last words is kept, in characters. */
const STDERR_CHARS = 4096;

/** How the lines begin that V8 writes before it aborts. */
const V8_WORDS = /^(?:FATAL ERROR: |# Fatal |# Check failed|#\s+\w+ process out of memory|<--- )/;

/** Who is told what an engine process does. */
export interface ProcessListener {
  ready(process: EngineProcess): void;
  message(process: EngineProcess, message: EngineMessage): void;
  /** It is gone; its calls are still in `calls`. */
  gone(process: EngineProcess, cause: DeathCause): void;
}

/** A call that the host has answered for, and whose work has not ended yet. */
export interface EndingCall {
  readonly handlers: CallHandlers;
  readonly abortedAt: number;
  /** The engine has said, or the host has seen, that its thread cannot be ended. */
  isStuck: boolean;
}

/** One engine process: a child without rights, and the calls on it. Messages of one event-loop turn travel in one array. */
export class EngineProcess {
  /** `retiring`: takes no new calls, because it will be killed in a moment. */
  state: 'starting' | 'ready' | 'retiring' | 'gone' = 'starting';
  /** Whether it was ever ready. */
  hasStarted = false;
  readonly calls = new Map<number, Call>();
  readonly ending = new Map<number, EndingCall>();
  readonly startedAt = performance.now();
  stats: EngineStats | null = null;
  /** Pings in a row that it has not answered. */
  unanswered = 0;
  readonly #child: ChildProcess;
  readonly #pipe: Socket;
  /** Of the host's own frames, and of those of the engine. */
  readonly #token = randomBytes(TOKEN_BYTES);
  readonly #itsToken = randomBytes(TOKEN_BYTES);
  readonly #intake = new Intake(this.#itsToken, () => this.calls.size + this.ending.size);
  readonly #listener: ProcessListener;
  readonly #opened = new Set<string>();
  #outgoing: HostMessage[] = [];
  #stderr = '';
  #killedFor: DeathCause | null = null;
  readonly exited: Promise<void>;

  constructor(entry: string, settings: object, listener: ProcessListener) {
    this.#listener = listener;
    this.#child = spawn(process.execPath, engineArguments(entry, settings), {
      env: {},
      stdio: ['ignore', 'ignore', 'pipe', 'overlapped'],
    });
    this.#pipe = this.#child.stdio[PIPE_FD] as Socket;
    this.#pipe.on('data', (chunk: Buffer) => this.#receive(chunk));
    // A pipe that breaks is the end of the engine, which `close` tells; one that closed its pipe only will not answer pings.
    this.#pipe.on('error', () => undefined);
    this.#pipe.write(Buffer.concat([this.#token, this.#itsToken]));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.exited = promise;
    const gone = (cause: DeathCause): void => {
      if (this.state === 'gone') return;
      this.state = 'gone';
      resolve();
      listener.gone(this, this.#killedFor ?? cause);
    };
    this.#child.on('error', (error) => {
      this.#stderr += error.message;
      if (this.#child.pid === undefined) gone('crash');
    });
    // Not `exit`: what it wrote last has to be read first.
    this.#child.on('close', (code, signal) => gone(causeOfExit(code, signal, this.#stderr)));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * What it wrote to its standard error, for an operator's log. Once it has run a plugin's code only V8's own words are given,
   * so that nothing of a plugin gets there.
   */
  get lastWords(): string {
    if (!this.hasStarted) return this.#stderr.trim();
    return this.#stderr
      .split('\n')
      .filter((line) => V8_WORDS.test(line))
      .join('\n')
      .slice(0, 500);
  }

  /** Makes the code of a bundle known to it, once. */
  open(bundle: BundleCode): void {
    if (this.#opened.has(bundle.digest)) return;
    this.#opened.add(bundle.digest);
    const { digest, name, version, code, limits } = bundle;
    this.send({ type: 'open', digest, name, version, code, limits });
  }

  close(digest: string): void {
    if (this.#opened.delete(digest)) this.send({ type: 'close', digest });
  }

  send(message: HostMessage): void {
    this.#outgoing.push(message);
    if (this.#outgoing.length === 1) setImmediate(() => this.#flush());
  }

  kill(cause: DeathCause): void {
    if (this.state === 'gone') return;
    this.#killedFor ??= cause;
    this.state = 'retiring';
    this.#child.kill('SIGKILL');
  }

  #flush(): void {
    const batch = this.#outgoing;
    this.#outgoing = [];
    if (!this.#pipe.writable) return;
    for (const frame of encodeBatch(batch, this.#token)) this.#pipe.write(frame);
  }

  #receive(chunk: Buffer): void {
    for (const batch of this.#intake.read(chunk)) {
      if (this.state === 'gone' || this.#killedFor !== null) return;
      if (batch === null) return this.kill('malformed');
      for (const message of batch) {
        if (this.#killedFor !== null) return;
        this.#take(message);
      }
    }
  }

  #take(message: EngineMessage): void {
    if (message.type !== 'ready') return this.#listener.message(this, message);
    if (this.state !== 'starting') return this.kill('malformed');
    this.state = 'ready';
    this.hasStarted = true;
    this.#listener.ready(this);
  }
}
