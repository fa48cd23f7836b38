/**
 * A queue in which tenants take turns, and within a tenant its groups (workflows) do: whoever brings thousands waits for its own thousands, and a quiet one
 * waits for one item of each other at most. Items are objects and can be in it once. Its operations take constant time, whatever the length, but for the groups that are passed over.
 */
export class FairQueue<T extends object> {
  /** Maps and sets keep the order of turns: who was served is put back at the end. */
  readonly #tenants = new Map<string, Map<string, Set<T>>>();
  readonly #places = new Map<T, { readonly tenant: string; readonly group: string }>();
  readonly #sizes = new Map<string, number>();

  get size(): number {
    return this.#places.size;
  }

  /** Items of one tenant. */
  sizeOf(tenant: string): number {
    return this.#sizes.get(tenant) ?? 0;
  }

  add(tenant: string, group: string, item: T): void {
    if (this.#places.has(item)) return;
    let groups = this.#tenants.get(tenant);
    if (groups === undefined) this.#tenants.set(tenant, (groups = new Map()));
    const items = groups.get(group);
    if (items === undefined) groups.set(group, new Set([item]));
    else items.add(item);
    this.#places.set(item, { tenant, group });
    this.#sizes.set(tenant, this.sizeOf(tenant) + 1);
  }

  /** Takes an item out before its turn; false: it is not there. */
  delete(item: T): boolean {
    const place = this.#places.get(item);
    if (place === undefined) return false;
    const { tenant, group } = place;
    const groups = this.#tenants.get(tenant);
    const items = groups?.get(group);
    items?.delete(item);
    if (items?.size === 0) groups?.delete(group);
    if (groups?.size === 0) this.#tenants.delete(tenant);
    this.#places.delete(item);
    const left = this.sizeOf(tenant) - 1;
    if (left === 0) this.#sizes.delete(tenant);
    else this.#sizes.set(tenant, left);
    return true;
  }

  /** The item whose turn it is, but for the tenants and groups that are passed over; null: none. */
  next(passOver?: (tenant: string, group: string) => boolean): T | null {
    for (const [tenant, groups] of this.#tenants) {
      for (const [group, items] of groups) {
        if (passOver?.(tenant, group) === true) continue;
        for (const item of items) return item;
      }
    }
    return null;
  }

  /** Takes out an item that `next` gave; its tenant's and its group's next turn come after those of all others. */
  serve(item: T): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.delete(item);
    const groups = this.#tenants.get(place.tenant);
    if (groups === undefined) return;
    this.#tenants.delete(place.tenant);
    this.#tenants.set(place.tenant, groups);
    const items = groups.get(place.group);
    if (items === undefined) return;
    groups.delete(place.group);
    groups.set(place.group, items);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#places.keys();
  }
}
