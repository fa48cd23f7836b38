import { defineAction } from '@goflow/plugin-sdk';

/** Each holds on to ever more memory, of another kind. */
const BOMBS: Readonly<Record<string, () => void>> = {
  grow_array() {
    const all: unknown[] = [];
    for (;;) all.push({ n: all.length });
  },
  grow_map() {
    const all = new Map<number, unknown>();
    for (let n = 0; ; n += 1) all.set(n, { n });
  },
  grow_set() {
    const all = new Set<string>();
    for (let n = 0; ; n += 1) all.add(`entry ${n}`);
  },
  grow_keys() {
    const all: Record<string, number> = {};
    for (let n = 0; ; n += 1) all[`key${n}`] = n;
  },
  grow_strings() {
    const all: string[] = [];
    for (let text = 'xyz'; ; text = text.length > 2 ** 24 ? `${all.length}` : text + text) {
      all.push(text);
      // Flattened, so that it is really held.
      text.charCodeAt(3);
    }
  },
  grow_bigints() {
    const all: bigint[] = [];
    for (;;) all.push(BigInt(all.length + 1) << 8_000_000n);
  },
  grow_buffers() {
    const all: Uint8Array[] = [];
    for (;;) all.push(new Uint8Array(1_000_000).fill(1));
  },
  parse_huge_json() {
    const text = `[${'[1,2,3],'.repeat(3_000_000)}1]`;
    const all: unknown[] = [];
    for (;;) all.push(JSON.parse(text));
  },
  fill_huge_arrays() {
    const all: unknown[] = [];
    for (;;) all.push(Array.from({ length: 2 ** 22 }, () => all.length));
  },
  pile_promises() {
    const all: unknown[] = [];
    for (;;) all.push(new Promise(() => undefined));
  },
  pile_closures() {
    let last: () => unknown = () => undefined;
    for (;;) {
      const before = last;
      last = () => before;
    }
  },
  clone_for_ever() {
    const all: unknown[] = [];
    for (;;) all.push(structuredClone(new Float64Array(100_000)));
  },
};

export const MEMORY_BOMBS: readonly string[] = Object.keys(BOMBS);

export const memoryBombs = Object.fromEntries(Object.entries(BOMBS).map(([id, run]) => [id, defineAction({ run })]));
