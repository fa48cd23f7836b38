import type { Limits } from '../../contract/index.ts';
import { LANE_SLOTS } from '../protocol/worker.ts';
import { runsAlone, type EngineCall } from './call.ts';
import { FairQueue } from '../fair-queue.ts';
import { Ending } from './ending.ts';
import { floods } from './flood.ts';
import { Lane, type CallEvent, type GoneCause, type LaneListener } from './lane.ts';
import type { Ledger } from './ledger.ts';
import { MemoryWatch } from './memory.ts';
import { Occupancy, tenantOf, workflowOf } from './occupancy.ts';
import type { Residency } from './residency.ts';
import { MAX_QUEUE, type Settings } from './settings.ts';
import { Threads } from './threads.ts';

export interface PoolBundle {
  readonly digest: string;
  readonly name: string;
  readonly version: string;
  readonly code: string;
  readonly limits: Limits;
}

/** Lanes beyond the bundle's own number: for calls that have to run alone, and for the others where all of its own are stuck. */
const EXTRA_LANES = 2;
/** Threads that fail to start one after the other before waiting calls are failed. */
const MAX_START_FAILURES = 3;

/** The lanes of one bundle, and the calls that wait for one. */
export class BundlePool implements LaneListener {
  readonly lanes = new Set<Lane>();
  readonly bundle: PoolBundle;
  readonly ending: Ending;
  readonly occupancy: Occupancy;
  readonly #ledger: Ledger;
  readonly #settings: Settings;
  readonly #lanesInAll: () => number;
  /** Calls at once on one lane. */
  readonly #concurrency: number;
  #threads: Threads;
  #startFailures = 0;
  #startError = 'its thread did not come up in time';
  /** Calls to be run before others: they had been given to a lane already. */
  readonly #again = new Set<EngineCall>();
  /** Calls that nobody has begun, in fair turns. */
  readonly #waiting = new FairQueue<EngineCall>();
  readonly #alone = new Set<EngineCall>();

  constructor(bundle: PoolBundle, ledger: Ledger, settings: Settings, residency: Residency, lanesInAll: () => number) {
    this.bundle = bundle;
    this.#ledger = ledger;
    this.#settings = settings;
    this.#lanesInAll = lanesInAll;
    this.#concurrency = Math.min(bundle.limits.concurrency, LANE_SLOTS / 2);
    this.occupancy = new Occupancy(settings.lanesPerBundle * this.#concurrency);
    this.ending = new Ending(
      ledger,
      (call) => this.#requeue(call),
      () => residency.isTooLarge(),
    );
    this.#threads = this.#createThreads();
  }

  /** Calls that wait or run. */
  get size(): number {
    let size = this.#again.size + this.#waiting.size + this.#alone.size;
    for (const lane of this.lanes) size += lane.calls.size;
    return size;
  }

  get hasQueue(): boolean {
    return this.#again.size + this.#waiting.size + this.#alone.size > 0;
  }

  add(call: EngineCall): void {
    if (runsAlone(call)) {
      this.#alone.add(call);
    } else if (this.hasQueue) {
      if (this.#waiting.size >= MAX_QUEUE) return this.#refuse(call, 'too many calls wait for it');
      this.#wait(call);
    } else {
      const isFree = this.#tenantsToHold() === null && !this.occupancy.isAtLimit(tenantOf(call), workflowOf(call));
      const lane = isFree ? this.#roomiest() : null;
      if (lane !== null) return lane.run(call);
      this.#wait(call);
    }
    this.pump();
  }

  /** Takes a waiting call out again. */
  remove(call: EngineCall): void {
    if (this.#waiting.delete(call) || this.#again.delete(call)) return;
    this.#alone.delete(call);
    this.#unreserve(call);
  }

  /** Gives waiting calls to lanes that have room, and starts lanes for those that are left. */
  pump(): void {
    this.#pumpAlone();
    const held = this.#tenantsToHold();
    const isHeld = (tenant: string): boolean => held?.has(tenant) === true;
    const passOver = (tenant: string, workflow: string): boolean =>
      isHeld(tenant) || this.occupancy.isAtLimit(tenant, workflow);
    for (const call of this.#again) {
      if (isHeld(tenantOf(call))) continue;
      const lane = this.#roomiest();
      if (lane === null) return this.#startFor(this.#again.size + this.#waiting.size);
      this.#again.delete(call);
      lane.run(call);
    }
    for (let call = this.#waiting.next(passOver); call !== null; call = this.#waiting.next(passOver)) {
      const lane = this.#roomiest();
      if (lane === null) return this.#startFor(this.#waiting.size);
      this.#waiting.serve(call);
      lane.run(call);
    }
  }

  /** A lane looks stuck: have another one ready, if there is none with room. */
  prepare(): void {
    if (this.#roomiest() === null) this.#startFor(1);
  }

  ready(lane: Lane): void {
    this.#startFailures = 0;
    // Measured before anything of the plugin is loaded: what the runtime itself holds.
    void lane.memory.isOver(lane);
    this.pump();
  }

  event(lane: Lane, call: EngineCall, event: CallEvent): void {
    if (event.type === 'result' || event.type === 'failure') {
      this.#ledger.settled(call, event);
      this.ending.settled(lane);
      if (this.hasQueue) this.pump();
    } else if (!floods(call, event)) {
      this.#ledger.said(call, event);
    } else if (call.abortedAt === null) {
      this.#ledger.failed(call, 'PLUGIN_CRASHED', 'the call sent more messages than can be taken');
      this.ending.abort(call, lane, 'cancelled');
    }
  }

  malformed(lane: Lane): void {
    this.ending.terminate(lane, 'crash');
  }

  gone(lane: Lane, cause: GoneCause): void {
    this.lanes.delete(lane);
    if (cause === 'unstarted') return this.#startFailed();
    this.ending.gone(lane, cause === 'asked' ? 'abort' : cause);
    this.pump();
  }

  async dispose(): Promise<void> {
    for (const lane of this.lanes) lane.end();
    await this.#threads.destroy();
  }

  #pumpAlone(): void {
    for (const call of this.#alone) {
      const fresh = this.#find(
        (lane) =>
          lane.state === 'open' && (lane.reservedFor === call || (lane.served === 0 && lane.reservedFor === null)),
      );
      if (fresh !== undefined) {
        this.#alone.delete(call);
        this.#unreserve(call);
        fresh.reservedFor = call;
        fresh.run(call);
      } else if (
        this.#find((lane) => lane.reservedFor === call) === undefined &&
        this.lanes.size < this.#settings.lanesPerBundle + EXTRA_LANES
      ) {
        this.#start(call);
      }
    }
  }

  #wait(call: EngineCall): void {
    this.#waiting.add(tenantOf(call), workflowOf(call), call);
  }

  /** A lane that was started for a call which has no need of it any more is for everybody: one that stayed reserved would be used by nobody, and never end. */
  #unreserve(call: EngineCall): void {
    for (const lane of this.lanes) if (lane.reservedFor === call) lane.reservedFor = null;
  }

  #requeue(call: EngineCall): void {
    (runsAlone(call) ? this.#alone : this.#again).add(call);
  }

  #refuse(call: EngineCall, reason: string): void {
    this.#ledger.failed(call, 'PLUGIN_UNAVAILABLE', `plugin ${this.bundle.name} cannot run now: ${reason}`);
    this.#ledger.ended(call, null);
  }

  #roomiest(): Lane | null {
    let best: Lane | null = null;
    for (const lane of this.lanes) {
      if (lane.hasRoom(this.#concurrency) && (best === null || lane.calls.size < best.calls.size)) best = lane;
    }
    return best;
  }

  /**
   * When all lanes but one are stuck, the last one is not for the tenants whose calls are on the stuck ones: whoever keeps them busy shall not shut the others
   * out. Those that only share a stuck lane wait at most until its calls are run alone.
   */
  #tenantsToHold(): Set<string> | null {
    const stuck = [...this.lanes].filter(isStuck);
    if (stuck.length === 0 || stuck.length < this.#settings.lanesPerBundle - 1) return null;
    return new Set(stuck.flatMap((lane) => [...lane.calls.values()].map(tenantOf)));
  }

  #find(fits: (lane: Lane) => boolean): Lane | undefined {
    for (const lane of this.lanes) if (fits(lane)) return lane;
    return undefined;
  }

  /** Starts as many lanes as `calls` waiting calls need, within the limits. */
  #startFor(calls: number): void {
    let coming = 0;
    let own = 0;
    let stuck = 0;
    for (const lane of this.lanes) {
      if (lane.reservedFor !== null || lane.state === 'draining' || lane.state === 'ending') continue;
      own += 1;
      if (isStuck(lane)) stuck += 1;
      if (lane.state === 'starting') coming += this.bundle.limits.concurrency;
    }
    // With every lane stuck, those who keep none of them busy get further ones.
    const most = this.#settings.lanesPerBundle + (stuck === own ? EXTRA_LANES : 0);
    while (coming < calls && own < most) {
      if (own > 0 && this.#lanesInAll() >= this.#settings.lanesPerEngine) return;
      this.#start(null);
      coming += this.bundle.limits.concurrency;
      own += 1;
    }
  }

  #start(reservedFor: EngineCall | null): void {
    const { digest, name, version, code, limits } = this.bundle;
    const memory = new MemoryWatch(limits.memory_mb);
    this.lanes.add(new Lane(this.#threads, { digest, name, version, code }, memory, reservedFor, this));
  }

  #createThreads(): Threads {
    return new Threads(this.bundle.limits, (error) => {
      this.#startError = error.message;
      for (const lane of this.lanes) if (lane.state === 'starting') lane.end();
      this.#startFailed();
    });
  }

  /** A pool that failed to start a worker is not used again: Piscina would not start another one for it. */
  #startFailed(): void {
    this.#startFailures += 1;
    if (![...this.lanes].some((lane) => lane.thread !== null)) {
      void this.#threads.destroy();
      this.#threads = this.#createThreads();
    }
    if (this.#startFailures < MAX_START_FAILURES) return this.pump();
    this.#startFailures = 0;
    for (const call of [...this.#again, ...this.#waiting, ...this.#alone]) {
      this.remove(call);
      this.#refuse(call, this.#startError);
    }
  }
}

/** Shows no life, and is not about to end for it. */
function isStuck(lane: Lane): boolean {
  return lane.stuck && lane.state === 'open';
}
