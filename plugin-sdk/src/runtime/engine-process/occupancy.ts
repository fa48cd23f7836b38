import type { EngineCall } from './call.ts';

/** Shares of a bundle's places that one tenant, and one workflow, may have: the rest is there at once for whoever has none. */
const TENANT_SHARE = 7 / 8;
const WORKFLOW_SHARE = 3 / 4;
/** With fewer places there is none to keep back. */
const FEWEST_PLACES = 4;

/** Who has how many of the places on a bundle's lanes. */
export class Occupancy {
  readonly #tenants = new Map<string, number>();
  readonly #workflows = new Map<string, number>();
  readonly #perTenant: number;
  readonly #perWorkflow: number;

  constructor(places: number) {
    const capped = places >= FEWEST_PLACES;
    this.#perTenant = capped ? Math.floor(places * TENANT_SHARE) : places;
    this.#perWorkflow = capped ? Math.floor(places * WORKFLOW_SHARE) : places;
  }

  isAtLimit(tenant: string, workflow: string): boolean {
    return (
      (this.#tenants.get(tenant) ?? 0) >= this.#perTenant ||
      (this.#workflows.get(keyOf(tenant, workflow)) ?? 0) >= this.#perWorkflow
    );
  }

  change(call: EngineCall, by: 1 | -1): void {
    const tenant = tenantOf(call);
    add(this.#tenants, tenant, by);
    add(this.#workflows, keyOf(tenant, workflowOf(call)), by);
  }
}

/** The calls on one lane, by key; counted where they come and go. */
export class LaneCalls extends Map<number, EngineCall> {
  readonly #occupancy: Occupancy;

  constructor(occupancy: Occupancy) {
    super();
    this.#occupancy = occupancy;
  }

  override set(key: number, call: EngineCall): this {
    this.#occupancy.change(call, 1);
    return super.set(key, call);
  }

  override delete(key: number): boolean {
    const call = this.get(key);
    if (call === undefined) return false;
    this.#occupancy.change(call, -1);
    return super.delete(key);
  }

  override clear(): void {
    for (const call of this.values()) this.#occupancy.change(call, -1);
    super.clear();
  }
}

export function tenantOf(call: EngineCall): string {
  return call.message.type === 'invoke' ? call.message.context.tenantId : '';
}

export function workflowOf(call: EngineCall): string {
  return call.message.type === 'invoke' ? call.message.context.workflowId : '';
}

function keyOf(tenant: string, workflow: string): string {
  return `${tenant}\n${workflow}`;
}

function add(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
