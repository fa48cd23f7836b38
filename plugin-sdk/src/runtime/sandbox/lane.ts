import { AsyncLocalStorage } from 'node:async_hooks';
import type { ErrorData } from '../../contract/index.ts';
import { type LaneCommand, type LaneStart, CLAIM_OPEN, CLAIM_TAKEN } from '../protocol/worker.ts';
import type { BrokerReply } from '../protocol/engine.ts';
import { ownMemory } from '../protocol/own-memory.ts';
import { Call } from './call.ts';
import { readErrorData } from './endowments/calls.ts';
import { Outbox } from './outbox.ts';
import { type Tenant, makeTenant } from './tenant.ts';

/** Compartments kept for tenants, those with calls in flight aside. One costs about 0.3 MiB and 3 ms to make again, plus the bundle's own. */
const MAX_IDLE_TENANTS = 32;

type Invoke = Extract<LaneCommand, { type: 'invoke' }>;

/** Serves the calls of one bundle on this worker: who is running, in which compartment, and where answers go. */
export class Lane {
  readonly #start: LaneStart;
  readonly #endowed: Readonly<Record<string, unknown>>;
  readonly #outbox: Outbox;
  readonly #claims: Int32Array;
  readonly #calls = new Map<number, Call>();
  readonly #tenants = new Map<string, { readonly tenant: Tenant; live: number }>();
  readonly #context = new AsyncLocalStorage<Call>();
  readonly #stopped = Promise.withResolvers<void>();
  #stopping = false;
  /** A compartment with the guest half in it, made while there is nothing to do. */
  #spare: Tenant | null = null;

  constructor(start: LaneStart, endowed: Readonly<Record<string, unknown>>) {
    this.#start = start;
    this.#endowed = endowed;
    this.#outbox = new Outbox(start.port);
    this.#claims = new Int32Array(start.claims);
  }

  /** Resolves when the lane was stopped and its last call has ended. */
  async serve(): Promise<void> {
    const { port } = this.#start;
    port.on('message', (commands: readonly LaneCommand[]) => {
      for (const command of commands) this.#handleAlone(command);
    });
    this.#outbox.push({ type: 'ready' });
    setImmediate(() => (this.#spare ??= this.#makeTenant()));
    await this.#stopped.promise;
    this.#outbox.flush();
    port.close();
  }

  /** Tells the call that it belongs to about something thrown that nobody caught. */
  uncaught(thrown: unknown, kind: 'rejection' | 'exception'): void {
    const call = this.#context.getStore();
    if (call !== undefined && !call.ended) call.guest.uncaught(call.key, thrown, kind);
  }

  /** What one call's code makes of a command must not keep the commands behind it from theirs. */
  #handleAlone(command: LaneCommand): void {
    try {
      this.#handle(command);
    } catch (thrown) {
      if ('key' in command) this.#calls.get(command.key)?.fail(brokenCall(thrown));
    }
  }

  #handle(command: LaneCommand): void {
    switch (command.type) {
      case 'invoke':
        if (this.#claim(command)) this.#invoke(command);
        return;
      case 'describe':
        if (this.#claim(command)) this.#describe(command.key);
        return;
      case 'abort':
        this.#abort(command);
        return;
      case 'answer':
        this.#answer(command);
        return;
      case 'ping':
        this.#outbox.push({ type: 'pong', id: command.id });
        return;
      case 'stop':
        this.#stopping = true;
        this.#settleStop();
        return;
      default:
        assertNever(command);
    }
  }

  #claim({ key, slot }: { readonly key: number; readonly slot: number }): boolean {
    const taken = Atomics.compareExchange(this.#claims, slot, CLAIM_OPEN, CLAIM_TAKEN) === CLAIM_OPEN;
    if (!taken) this.#outbox.push({ type: 'skipped', key });
    return taken;
  }

  #invoke({ key, action, input, context, remainingMs }: Invoke): void {
    const deadline = Date.now() + remainingMs;
    const known = this.#tenants.get(context.tenantId);
    const entry = known ?? { tenant: this.#takeTenant(), live: 0 };
    const { guest } = entry.tenant;
    const call = this.#begin(key, guest, () => this.#release(context.tenantId, entry));
    entry.live += 1;
    if (known === undefined) {
      const failure = guest.load(this.#start.code, key);
      if (failure !== null) {
        entry.tenant.dispose();
        return call.fail(readErrorData(failure));
      }
      this.#tenants.set(context.tenantId, entry);
    }
    this.#context.run(call, () => guest.invoke(key, action, input, context, deadline));
  }

  /** Evaluates the code in a compartment of its own, which is thrown away afterwards. */
  #describe(key: number): void {
    const tenant = this.#takeTenant();
    const call = this.#begin(key, tenant.guest, () => tenant.dispose());
    const failure = tenant.guest.load(this.#start.code, key);
    if (failure !== null) return call.fail(readErrorData(failure));
    const [ok, text] = tenant.guest.describe();
    if (ok) call.succeed(text);
    else call.fail(readErrorData(text));
  }

  #abort({ key, reason }: Extract<LaneCommand, { type: 'abort' }>): void {
    const call = this.#calls.get(key);
    if (call === undefined) return;
    call.markAborted(reason);
    this.#context.run(call, () => call.guest.abort(key, reason));
  }

  #answer(command: { readonly key: number; readonly call: number } & BrokerReply): void {
    const call = this.#calls.get(command.key);
    if (call === undefined) return;
    const { guest } = call;
    this.#context.run(call, () => {
      if (command.ok) guest.answer(call.key, command.call, true, ownMemory(command.value));
      else guest.answer(call.key, command.call, false, JSON.stringify(command.error));
    });
  }

  #begin(key: number, guest: Call['guest'], release: () => void): Call {
    const call = new Call(key, guest, this.#outbox);
    this.#calls.set(key, call);
    call.own(() => {
      this.#calls.delete(key);
      release();
      this.#settleStop();
    });
    return call;
  }

  #takeTenant(): Tenant {
    const tenant = this.#spare ?? this.#makeTenant();
    this.#spare = null;
    return tenant;
  }

  #makeTenant(): Tenant {
    return makeTenant(this.#endowed, {
      current: () => this.#live(this.#context.getStore()),
      isOver: () => this.#context.getStore()?.ended === true,
      call: (key) => this.#calls.get(key),
      within: (call, work) => this.#context.run(call, work),
    });
  }

  #live(call: Call | undefined): Call | undefined {
    return call === undefined || call.ended ? undefined : call;
  }

  /** The tenants used last stay; the others' compartments go when nothing runs in them. */
  #release(id: string, entry: { readonly tenant: Tenant; live: number }): void {
    entry.live -= 1;
    if (this.#tenants.get(id) !== entry) return;
    this.#tenants.delete(id);
    this.#tenants.set(id, entry);
    for (const [other, candidate] of this.#tenants) {
      if (this.#tenants.size <= MAX_IDLE_TENANTS) return;
      if (candidate.live > 0) continue;
      this.#tenants.delete(other);
      candidate.tenant.dispose();
    }
  }

  #settleStop(): void {
    if (this.#stopping && this.#calls.size === 0) this.#stopped.resolve();
  }
}

function brokenCall(thrown: unknown): ErrorData {
  const message = thrown instanceof RangeError ? 'the stack ran out' : 'the sandbox could not go on with the call';
  return { code: 'CONNECTOR_ERROR', message, retryable: false };
}

function assertNever(command: never): never {
  throw new TypeError(`unknown lane command: ${JSON.stringify(command)}`);
}
