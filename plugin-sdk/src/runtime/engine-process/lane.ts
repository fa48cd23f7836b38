import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { isLaneBatch } from '../protocol/check.ts';
import {
  CLAIM_OPEN,
  CLAIM_REVOKED,
  CLAIM_TAKEN,
  LANE_SLOTS,
  type LaneCommand,
  type LaneEvent,
  type LaneStart,
} from '../protocol/worker.ts';
import type { EngineCall } from './call.ts';
import type { MemoryWatch } from './memory.ts';
import { LaneCalls, type Occupancy } from './occupancy.ts';
import type { Threads } from './threads.ts';
import { LEFTOVER_MS, START_MS } from './settings.ts';

/**
 * - `starting`: its thread is coming up
 * - `open`: takes calls
 * - `draining`: takes none any more, because a call on it has to be ended with its thread; the others may finish
 * - `ending`: its thread was told to end
 * - `gone`: its thread has ended
 */
export type LaneState = 'starting' | 'open' | 'draining' | 'ending' | 'gone';

/** Why a thread is gone: it was told to end, V8 ended it at its heap limit, it never came up, or any other end that nobody asked for. */
export type GoneCause = 'asked' | 'memory' | 'unstarted' | 'crash';

/** What is said by or of one call. */
export type CallEvent = Exclude<LaneEvent, { type: 'ready' | 'pong' | 'skipped' }>;

/** Who is told what happens on a lane. */
export interface LaneListener {
  /** Counts the calls on all lanes of the bundle. */
  readonly occupancy: Occupancy;
  ready(lane: Lane): void;
  /** Something that a call on this lane said. */
  event(lane: Lane, call: EngineCall, event: CallEvent): void;
  gone(lane: Lane, cause: GoneCause): void;
  /** What arrived from the thread is not of the protocol: whatever runs there is not ours any more. */
  malformed(lane: Lane): void;
}

/** One worker thread with the calls on it: a Piscina task that lives as long as its worker, and a port of its own. */
export class Lane {
  state: LaneState = 'starting';
  /** Calls that were sent and have not ended, by key. */
  readonly calls: LaneCalls;
  /** The call that this lane was started for, when that has to run alone. */
  reservedFor: EngineCall | null;
  /** Shows no life at the moment: takes no new work. */
  stuck = false;
  /** How many calls it was given so far. */
  served = 0;
  thread: Worker | null = null;
  /** When the last call ended, or the lane began. */
  idleSince = performance.now();
  /** Last sign of life. */
  aliveAt = performance.now();
  readonly memory: MemoryWatch;
  readonly #listener: LaneListener;
  readonly #claims: Int32Array;
  readonly #port: MessagePort;
  readonly #end = new AbortController();
  readonly #startTimer: NodeJS.Timeout;
  readonly #freeSlots: number[] = [];
  /** Slots of revoked calls, by key, until the worker has seen the revocation. */
  readonly #revoked = new Map<number, number>();
  #slots = 0;
  #outgoing: LaneCommand[] = [];
  #idle = 0;
  #pings = 0;
  #ponged = 0;
  /** When, and at how much work of its thread, the current rest without calls was first looked at. */
  #restSince = 0;
  #restActive = 0;
  #crash: 'memory' | 'crash' = 'crash';

  constructor(
    threads: Threads,
    start: Omit<LaneStart, 'port' | 'claims'>,
    memory: MemoryWatch,
    reservedFor: EngineCall | null,
    listener: LaneListener,
  ) {
    this.memory = memory;
    this.calls = new LaneCalls(listener.occupancy);
    this.#listener = listener;
    this.reservedFor = reservedFor;
    const claims = new SharedArrayBuffer(LANE_SLOTS * Int32Array.BYTES_PER_ELEMENT);
    this.#claims = new Int32Array(claims);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on('message', (batch: unknown) => this.#receive(batch));
    this.#startTimer = setTimeout(() => this.#lost(), START_MS);
    const task = { ...start, port: port2, claims };
    const placement = { place: (thread: Worker) => this.#place(thread) };
    threads.run(task, port2, placement, this.#end.signal).then(
      // The task of a lane ends only with its thread; one that returns has lost its mind.
      () => this.end(),
      () => {
        if (this.thread === null) this.#lost();
      },
    );
  }

  /** Calls on it that its code has begun. */
  started(): EngineCall[] {
    return [...this.calls.values()].filter((call) => this.hasStarted(call));
  }

  hasStarted(call: EngineCall): boolean {
    return Atomics.load(this.#claims, call.slot) === CLAIM_TAKEN;
  }

  hasRoom(concurrency: number): boolean {
    return (
      this.state === 'open' &&
      !this.stuck &&
      this.reservedFor === null &&
      this.calls.size < concurrency &&
      this.#slots < LANE_SLOTS
    );
  }

  /** Gives it a call. */
  run(call: EngineCall): void {
    call.slot = this.#freeSlots.pop() ?? this.#slots++;
    Atomics.store(this.#claims, call.slot, CLAIM_OPEN);
    if (this.calls.size === 0) this.aliveAt = performance.now();
    this.calls.set(call.message.key, call);
    call.lane = this;
    this.served += 1;
    const { message, slot } = call;
    const { key } = message;
    if (message.type === 'describe') {
      this.send({ type: 'describe', key, slot });
    } else {
      const { action, input, context } = message;
      this.send({
        type: 'invoke',
        key,
        slot,
        action,
        input,
        context,
        remainingMs: call.deadlineAt - performance.now(),
      });
    }
  }

  /** Takes back a call that the worker has not begun. After `true` it will never begin there. */
  revoke(call: EngineCall): boolean {
    if (Atomics.compareExchange(this.#claims, call.slot, CLAIM_OPEN, CLAIM_REVOKED) !== CLAIM_OPEN) return false;
    this.calls.delete(call.message.key);
    call.lane = null;
    this.#revoked.set(call.message.key, call.slot);
    return true;
  }

  /** What is sent while one message is handled leaves in one array at its end. */
  send(command: LaneCommand): void {
    this.#outgoing.push(command);
    if (this.#outgoing.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const batch = this.#outgoing;
    this.#outgoing = [];
    this.#port.postMessage(batch, []);
  }

  /** Asks for a sign of life at once. Returns the number to ask `hasPonged` with. */
  ping(): number {
    this.#pings += 1;
    this.send({ type: 'ping', id: this.#pings });
    return this.#pings;
  }

  hasPonged(ping: number): boolean {
    return this.#ponged >= ping;
  }

  /** Whether its event loop has waited for something since the last question: the cheapest sign of life, it costs the thread nothing. */
  hasIdled(): boolean {
    const idle = this.thread?.performance.eventLoopUtilization().idle ?? 0;
    const grown = idle - this.#idle > 0.05;
    this.#idle = idle;
    return grown;
  }

  /**
   * Whether its thread computes although it has no call: what a call has left behind. Judged over `LEFTOVER_MS` without a call at a time, so that neither
   * collecting garbage nor making a spare compartment counts.
   */
  worksWithoutCalls(): boolean {
    const { active = 0 } = this.thread?.performance.eventLoopUtilization() ?? {};
    const now = performance.now();
    if (this.#restSince < this.idleSince) {
      this.#restSince = now;
      this.#restActive = active;
      return false;
    }
    const elapsed = now - this.#restSince;
    if (elapsed < LEFTOVER_MS) return false;
    const works = active - this.#restActive > elapsed / 2;
    this.#restSince = now;
    this.#restActive = active;
    return works;
  }

  get awaitsPong(): boolean {
    return this.#ponged < this.#pings;
  }

  /** Tells the thread to end. `gone` is told when it has; that may be never. */
  end(): void {
    if (this.state === 'ending' || this.state === 'gone') return;
    this.state = 'ending';
    clearTimeout(this.#startTimer);
    this.#port.close();
    this.#end.abort();
    if (this.thread === null) this.#gone('asked');
  }

  #place(thread: Worker): void {
    this.thread = thread;
    thread.on('error', (error: NodeJS.ErrnoException) => {
      this.#crash = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'crash';
    });
    thread.on('exit', () => this.#gone(GONE_AS[this.state] ?? this.#crash));
  }

  /** The thread did not come up. */
  #lost(): void {
    if (this.state !== 'starting') return;
    this.#end.abort();
    this.#gone('unstarted');
  }

  #gone(cause: GoneCause): void {
    if (this.state === 'gone') return;
    this.state = 'gone';
    clearTimeout(this.#startTimer);
    this.#port.close();
    this.#listener.gone(this, cause);
  }

  #receive(batch: unknown): void {
    if (this.state === 'ending' || this.state === 'gone') return;
    this.aliveAt = performance.now();
    this.stuck = false;
    if (!isLaneBatch(batch)) return this.#listener.malformed(this);
    for (const event of batch) this.#take(event);
  }

  #take(event: LaneEvent): void {
    if (event.type === 'ready') this.#becomeOpen();
    else if (event.type === 'pong') this.#ponged = Math.max(this.#ponged, Math.min(event.id, this.#pings));
    else if (event.type === 'skipped') this.#freeRevoked(event.key);
    else this.#takeOfCall(event);
  }

  #becomeOpen(): void {
    if (this.state !== 'starting') return;
    clearTimeout(this.#startTimer);
    this.state = 'open';
    this.idleSince = performance.now();
    this.#listener.ready(this);
  }

  #freeRevoked(key: number): void {
    const slot = this.#revoked.get(key);
    if (slot !== undefined) this.#freeSlots.push(slot);
    this.#revoked.delete(key);
  }

  #takeOfCall(event: CallEvent): void {
    const call = this.calls.get(event.key);
    if (call === undefined) return;
    if (event.type === 'result' || event.type === 'failure') {
      this.calls.delete(event.key);
      call.lane = null;
      this.#freeSlots.push(call.slot);
      if (this.reservedFor === call) this.reservedFor = null;
      if (this.calls.size === 0) this.idleSince = performance.now();
    }
    this.#listener.event(this, call, event);
  }
}

const GONE_AS: Partial<Record<LaneState, GoneCause>> = { starting: 'unstarted', ending: 'asked' };
