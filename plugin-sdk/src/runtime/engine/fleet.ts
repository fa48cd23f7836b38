import type { EngineMessage } from '../protocol/engine.ts';
import type { DeathCause } from './guilt.ts';
import { engineEntry } from './paths.ts';
import { EngineProcess, type ProcessListener } from './process.ts';
import type { EngineOptions } from './types.ts';

/** How often a busy engine has to answer a ping … */
const PING_MS = 500;
/** … and how many it may leave unanswered before it is killed. */
const MAX_UNANSWERED = 4;
/** Idle engines are asked each so many intervals, for their figures. */
const IDLE_PINGS = 20;
/** An aborted call whose end the engine has not told after so long will not end: the engine is killed. */
const END_MS = 2000;
/** An engine that is not ready after so long is given up. */
const START_MS = 15_000;
/** How long after the last trouble, or the last call, a spare is kept. */
const SPARE_MS = 60_000;
/** An engine that dies before it is ready is replaced after 100 ms, then 200, 400 … up to this. */
const MAX_BACKOFF_MS = 5000;
/** Engines for calls under suspicion, one call each at a time. */
const MAX_QUARANTINE = 4;

/** The engine processes: as many as asked, replaced when they end, with a spare when one may be needed soon. */
export class Fleet implements ProcessListener {
  readonly #options: EngineOptions;
  readonly #listener: ProcessListener;
  readonly #entry = engineEntry();
  readonly #settings: object;
  /** Fixed places, so that a bundle stays with its process. */
  readonly #active: Array<EngineProcess | null>;
  readonly #quarantine = new Set<EngineProcess>();
  readonly #all = new Set<EngineProcess>();
  readonly #watchTimer: NodeJS.Timeout;
  readonly #retireTimers = new Set<NodeJS.Timeout>();
  #fillTimer: NodeJS.Timeout | null = null;
  #spare: EngineProcess | null = null;
  #troubleAt = -Infinity;
  #usedAt = -Infinity;
  /** Whether a call was made since the last look. */
  #isUsed = false;
  #failedStarts = 0;
  #ticks = 0;
  #tickAt = performance.now();
  #closed = false;
  #pings = 0;
  restarts = 0;

  constructor(options: EngineOptions, listener: ProcessListener) {
    this.#options = options;
    this.#listener = listener;
    const { lanesPerBundle, idleLaneMs } = options;
    this.#settings = { lanesPerBundle, idleLaneMs };
    this.#active = Array.from({ length: options.processes ?? 1 }, () => null);
    this.#fill();
    this.#watchTimer = setInterval(() => setImmediate(() => this.#watch()), PING_MS);
    this.#watchTimer.unref();
  }

  get all(): Iterable<EngineProcess> {
    return this.#all;
  }

  /** The process for a bundle, or `null` while there is none that takes calls. */
  pick(digest: string): EngineProcess | null {
    this.#isUsed = true;
    return this.#serving(digest);
  }

  #serving(digest: string): EngineProcess | null {
    const places = this.#active.length;
    const first = places === 1 ? 0 : hash(digest) % places;
    for (let offset = 0; offset < places; offset += 1) {
      const process = this.#active[(first + offset) % places];
      if (process?.state === 'ready') return process;
    }
    return null;
  }

  /** A process without any call, for one under suspicion; `null` until one is up. */
  pickQuarantine(): EngineProcess | null {
    for (const process of this.#quarantine) {
      if (process.state === 'ready' && process.calls.size + process.ending.size === 0) return process;
    }
    const coming = [...this.#quarantine].some((process) => process.state === 'starting');
    if (!coming && this.#quarantine.size < MAX_QUARANTINE && !this.#closed) this.#quarantine.add(this.#spawn());
    return null;
  }

  /** No call is under suspicion any more. */
  endQuarantine(): void {
    for (const process of this.#quarantine)
      if (process.calls.size + process.ending.size === 0) process.kill('shutdown');
  }

  /** A process may have to be killed soon: have a spare one warm. */
  expectTrouble(): void {
    this.#troubleAt = performance.now();
    this.#keepSpare();
  }

  /** Takes a process out of service now and kills it when nothing holds it any more, or after `ms`. */
  retire(process: EngineProcess, cause: DeathCause, ms: number, isHeld: () => boolean): void {
    if (process.state === 'retiring' || process.state === 'gone') return;
    if (!isHeld()) return process.kill(cause);
    process.state = 'retiring';
    const place = this.#active.indexOf(process);
    if (place >= 0) this.#active[place] = null;
    this.#fill();
    const until = performance.now() + ms;
    const timer = setInterval(() => {
      if (isHeld() && performance.now() < until) return;
      clearInterval(timer);
      this.#retireTimers.delete(timer);
      process.kill(cause);
    }, 10);
    this.#retireTimers.add(timer);
  }

  ready(process: EngineProcess): void {
    this.#failedStarts = 0;
    this.#ping(process);
    this.#log('debug', 'engine process ready', process, {
      start_ms: Math.round(performance.now() - process.startedAt),
    });
    this.#listener.ready(process);
    // Now, and not beside it: both would come up later.
    this.#keepSpareIfWanted();
  }

  message(process: EngineProcess, message: EngineMessage): void {
    if (message.type !== 'pong') return this.#listener.message(process, message);
    process.unanswered = 0;
    process.stats = message.stats;
    if (message.stats.rss > (this.#options.maxMemoryMb ?? 2048) * 1024 * 1024) process.kill('runaway');
  }

  gone(process: EngineProcess, cause: DeathCause): void {
    this.#all.delete(process);
    this.#quarantine.delete(process);
    if (this.#spare === process) this.#spare = null;
    const place = this.#active.indexOf(process);
    if (place >= 0) this.#active[place] = null;
    if (cause !== 'shutdown') {
      this.restarts += 1;
      this.#troubleAt = performance.now();
      this.#log('warn', 'engine process ended', process, { cause, last_words: process.lastWords });
    }
    if (!process.hasStarted && cause !== 'shutdown') this.#failedStarts += 1;
    this.#fill();
    this.#listener.gone(process, cause);
    this.#keepSpareIfWanted();
  }

  /** Kills all; resolves when they are gone. */
  async shutdown(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watchTimer);
    for (const timer of this.#retireTimers) clearInterval(timer);
    if (this.#fillTimer !== null) clearTimeout(this.#fillTimer);
    const exits = [...this.#all].map((process) => process.exited);
    for (const process of this.#all) process.kill('shutdown');
    await Promise.all(exits);
  }

  /** Gives every empty place a process: the spare, or a new one. */
  #fill(): void {
    if (this.#closed) return;
    for (const [place, process] of this.#active.entries()) {
      if (process !== null) continue;
      if (this.#spare !== null) {
        const spare = this.#spare;
        this.#active[place] = spare;
        this.#spare = null;
        // Calls that came since the last one was lost wait for a process to become ready, and this one is.
        if (spare.state === 'ready') this.#listener.ready(spare);
      } else if (this.#failedStarts === 0) {
        this.#active[place] = this.#spawn();
      } else {
        return this.#fillLater();
      }
    }
  }

  #fillLater(): void {
    this.#fillTimer ??= setTimeout(
      () => {
        this.#fillTimer = null;
        const place = this.#active.indexOf(null);
        if (place >= 0 && !this.#closed) this.#active[place] = this.#spawn();
        if (this.#active.includes(null)) this.#fillLater();
      },
      Math.min(50 * 2 ** this.#failedStarts, MAX_BACKOFF_MS),
    );
  }

  #spawn(): EngineProcess {
    const process = new EngineProcess(this.#entry, this.#settings, this);
    this.#all.add(process);
    return process;
  }

  #wantsSpare(): boolean {
    const { spare = 'on-trouble' } = this.#options;
    const since = spare === 'while-used' ? Math.max(this.#usedAt, this.#troubleAt) : this.#troubleAt;
    return spare === 'always' || performance.now() - since <= SPARE_MS;
  }

  /** One process is enough at a time to bring up. */
  #keepSpareIfWanted(): void {
    if (this.#wantsSpare() && this.#serving('') !== null) this.#keepSpare();
  }

  #keepSpare(): void {
    if (this.#spare === null && !this.#closed && this.#failedStarts === 0) this.#spare = this.#spawn();
  }

  #watch(): void {
    const now = performance.now();
    // When this process itself was held up, the answers may be waiting to be read.
    const isOnTime = now - this.#tickAt < 2 * PING_MS;
    this.#tickAt = now;
    this.#ticks += 1;
    for (const process of this.#all) {
      if (process.state === 'ready') this.#watchProcess(process, now, isOnTime);
      else if (process.state === 'starting' && now - process.startedAt > START_MS) process.kill('unresponsive');
    }
    if (this.#isUsed) this.#usedAt = now;
    this.#isUsed = false;
    this.#keepSpareIfWanted();
    if (this.#spare?.state === 'ready' && !this.#wantsSpare()) {
      this.#spare.kill('shutdown');
      this.#spare = null;
    }
  }

  #watchProcess(process: EngineProcess, now: number, isOnTime: boolean): void {
    for (const ending of process.ending.values()) {
      if (now - ending.abortedAt > 200) this.expectTrouble();
      if (now - ending.abortedAt > END_MS && isOnTime) {
        ending.isStuck = true;
        return process.kill('stuck');
      }
    }
    const isBusy = process.calls.size + process.ending.size > 0;
    if (process.unanswered >= MAX_UNANSWERED && isOnTime) return process.kill('unresponsive');
    if (!isBusy && process.unanswered === 0 && this.#ticks % IDLE_PINGS !== 0) return;
    process.unanswered += 1;
    this.#ping(process);
  }

  #ping(process: EngineProcess): void {
    this.#pings += 1;
    process.send({ type: 'ping', id: this.#pings });
  }

  #log(
    level: 'debug' | 'warn',
    message: string,
    process: EngineProcess,
    fields: Record<string, string | number>,
  ): void {
    this.#options.log?.(level, message, { engine_pid: process.pid, ...fields });
  }
}

/** FNV-1a: spreads digests evenly, the same way in every process. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return value;
}
