import { describe, expect, it } from 'vitest';
import type { JsonSchema, Manifest } from '../../src/contract/index.ts';
import { compareManifests } from '../../src/build/compare/manifests.ts';

const DIGEST = `sha256-${'A'.repeat(43)}=`;

function manifest(part: Partial<Manifest>): Manifest {
  return { name: 'x', version: '1.2.3', sdk: '0.1.0', actions: { go: {} }, digests: { 'plugin.js': DIGEST }, ...part };
}

function compare(before: Partial<Manifest>, after: Partial<Manifest>) {
  return compareManifests(manifest(before), manifest(after));
}

/** What a change of an action's schema comes to: step and messages. */
function schemaChange(side: 'input' | 'output', before: JsonSchema, after: JsonSchema): [string | null, string] {
  const { step, changes } = compare({ actions: { go: { [side]: before } } }, { actions: { go: { [side]: after } } });
  return [step, changes.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')];
}

const object = (properties: Record<string, JsonSchema>, required: string[] = [], more: object = {}): JsonSchema =>
  ({ type: 'object', properties, required, ...more }) as JsonSchema;
const text = { type: 'string' } as const;

describe('an input', () => {
  it.each<[what: string, before: JsonSchema, after: JsonSchema, step: string | null, message: RegExp]>([
    ['nothing changed', object({ a: text }), object({ a: text }), null, /^$/],
    ['only a description', object({ a: text }), object({ a: { ...text, description: 'new' } }), null, /^$/],
    [
      'a new optional field',
      object({ a: text }, [], { additionalProperties: false }),
      object({ a: text, b: text }, [], { additionalProperties: false }),
      'minor',
      /takes more than before/,
    ],
    [
      'a new required field',
      object({ a: text }),
      object({ a: text, b: text }, ['b']),
      'major',
      /\/input\/b is required now/,
    ],
    ['a required field made optional', object({ a: text }, ['a']), object({ a: text }), 'minor', /takes more/],
    [
      'a field taken away',
      object({ a: text, b: text }, [], { additionalProperties: false }),
      object({ a: text }, [], { additionalProperties: false }),
      'major',
      /\/input\/b is not taken any more/,
    ],
    ['another type', object({ a: text }), object({ a: { type: 'number' } }), 'major', /takes number now, not string/],
    ['a wider type', object({ a: { type: 'integer' } }), object({ a: { type: 'number' } }), 'minor', /takes more/],
    [
      'a type less',
      object({ a: { type: ['string', 'null'] } }),
      object({ a: text }),
      'major',
      /takes string now, not null/,
    ],
    [
      'a value less',
      object({ a: { enum: ['x', 'y'] } }),
      object({ a: { enum: ['x'] } }),
      'major',
      /does not take "y" any more/,
    ],
    ['a value more', object({ a: { enum: ['x'] } }), object({ a: { enum: ['x', 'y'] } }), 'minor', /takes more/],
    ['values where any text was', object({ a: text }), object({ a: { enum: ['x'] } }), 'major', /nothing but "x"/],
    [
      'a shorter text',
      object({ a: { ...text, maxLength: 9 } }),
      object({ a: { ...text, maxLength: 5 } }),
      'major',
      /maxLength 5/,
    ],
    ['a pattern', object({ a: text }), object({ a: { ...text, pattern: '^x' } }), 'major', /pattern/],
    ['a lower bound of nothing', object({ a: text }), object({ a: { ...text, minLength: 0 } }), null, /^$/],
    [
      'items of another type',
      { type: 'array', items: text },
      { type: 'array', items: { type: 'number' } },
      'major',
      /\/input\/- takes number/,
    ],
    [
      'unknown fields refused',
      object({ a: text }),
      object({ a: text }, [], { additionalProperties: false }),
      'major',
      /no unknown fields/,
    ],
    ['a branch more', { anyOf: [text] }, { anyOf: [text, { type: 'number' }] }, 'minor', /takes more/],
    [
      'a branch less',
      { anyOf: [text, { type: 'number' }] },
      { anyOf: [text] },
      'major',
      /takes string now, not number/,
    ],
    [
      'the same behind a reference',
      object({ a: text }),
      { $defs: { t: text }, ...(object({ a: { $ref: '#/$defs/t' } }) as object) },
      null,
      /^$/,
    ],
    [
      'a change behind a reference',
      { $defs: { t: text }, $ref: '#/$defs/t' },
      { $defs: { t: { type: 'null' } }, $ref: '#/$defs/t' },
      'major',
      /takes null/,
    ],
    [
      'a condition',
      object({ a: text }),
      { ...(object({ a: text }) as object), not: { required: ['a'] } },
      'major',
      /"not" has changed/,
    ],
    ['a schema where there was none', true, object({ a: text }), 'major', /takes object now, not anything/],
  ])('%s', (_what, before, after, step, message) => {
    const found = schemaChange('input', before, after);
    expect(found[1]).toMatch(message);
    expect(found[0]).toBe(step);
  });

  it('a recursive schema is compared to an end', () => {
    const tree = (name: JsonSchema): JsonSchema => ({
      $defs: { node: object({ name, children: { type: 'array', items: { $ref: '#/$defs/node' } } }, ['name']) },
      $ref: '#/$defs/node',
    });
    expect(schemaChange('input', tree(text), tree(text))).toEqual([null, '']);
    expect(schemaChange('input', tree(text), tree({ type: 'number' }))[0]).toBe('major');
  });
});

describe('an output', () => {
  it.each<[what: string, before: JsonSchema, after: JsonSchema, step: string | null, message: RegExp]>([
    ['a field more', object({ a: text }, ['a']), object({ a: text, b: text }, ['a', 'b']), 'minor', /promises more/],
    [
      'a field that may be missing',
      object({ a: text }, ['a']),
      object({ a: text }),
      'major',
      /\/output\/a may be missing now/,
    ],
    [
      'another type',
      object({ a: text }),
      object({ a: { type: 'number' } }),
      'major',
      /may be number now, not only string/,
    ],
    ['a value more', object({ a: { enum: ['x'] } }), object({ a: { enum: ['x', 'y'] } }), 'major', /may be "y" now/],
    ['a value less', object({ a: { enum: ['x', 'y'] } }), object({ a: { enum: ['x'] } }), 'minor', /promises more/],
    ['no schema any more', object({ a: text }), true, 'major', /may be anything now/],
  ])('%s', (_what, before, after, step, message) => {
    const found = schemaChange('output', before, after);
    expect(found[1]).toMatch(message);
    expect(found[0]).toBe(step);
  });
});

describe('a bundle', () => {
  it.each<[what: string, before: Partial<Manifest>, after: Partial<Manifest>, step: string | null, message: RegExp]>([
    ['an action gone', { actions: { go: {}, more: {} } }, {}, 'major', /\/actions\/more is gone/],
    ['an action more', {}, { actions: { go: {}, more: {} } }, 'minor', /\/actions\/more is new/],
    ['more hosts', {}, { permissions: { net: ['a.example.com'] } }, 'major', /asks for a\.example\.com now/],
    ['fewer hosts', { permissions: { net: ['a.example.com'] } }, {}, 'patch', /no more/],
    ['storage', {}, { permissions: { storage: true } }, 'major', /\/permissions\/storage is asked for/],
    ['secrets as values', {}, { secrets: 'value' }, 'major', /sees the secrets/],
    ['a credential', {}, { credential: { type: 'object' } }, 'major', /\/credential is needed now/],
    ['other code', {}, { digests: { 'plugin.js': `sha256-${'B'.repeat(43)}=` } }, 'patch', /code or texts/],
  ])('%s', (_what, before, after, step, message) => {
    const compared = compare(before, after);
    expect(compared.changes.map((change) => `${change.pointer} ${change.message}`).join()).toMatch(message);
    expect(compared.step).toBe(step);
  });

  it.each([
    ['1.2.3', '1.9.0', false, '2.0.0'],
    ['1.2.3', '2.0.0', true, '2.0.0'],
    ['1.2.3', '2.0.0-beta.1', true, '2.0.0'],
    ['0.2.3', '0.3.0', true, '0.3.0'],
    ['0.2.3', '0.2.4', false, '0.3.0'],
  ])('a breaking change of %s in %s: enough %s, needs %s', (old, now, enough, needs) => {
    const before = { version: old, actions: { go: {}, more: {} } };
    expect(compare(before, { version: now })).toMatchObject({ enough, needs, step: 'major' });
  });
});
