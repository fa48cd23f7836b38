import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/index.ts';
import { type OpenConnector, openConnector } from '../../src/testing/index.ts';

// The connector lies in this repository, so that it finds the libraries.
const dir = fileURLToPath(new URL('schema-libraries/', import.meta.url));
let connector: OpenConnector;

beforeAll(async () => {
  connector = await openConnector({ dir, entry: 'connector.ts' });
});
afterAll(() => connector.close());

function schemaOf(action: string, side: 'input' | 'output' = 'input'): JsonObject {
  return connector.manifest.actions[action]?.[side] as JsonObject;
}

describe('schemas of libraries', () => {
  it.each(['zod', 'typebox', 'valibot', 'plain'])('%s: stand in the manifest as plain JSON Schema', (library) => {
    expect(schemaOf(library)).toMatchObject({
      type: 'object',
      required: ['path'],
      properties: { path: { type: 'string', minLength: 1 }, times: { type: expect.stringMatching(/number|integer/) } },
    });
    expect(JSON.stringify(connector.manifest)).not.toMatch(/~standard|~kind|\$schema/);
  });

  it.each(['zod', 'typebox', 'valibot', 'plain'])('%s: hold the input to themselves', async (library) => {
    expect(await connector.run(library, { path: 'ab', times: 2 })).toMatchObject({ output: { joined: 'abab' } });
    expect(await connector.run(library, { path: '', times: 2 })).toMatchObject({
      status: 'failed',
      error: { code: 'INPUT_INVALID', message: expect.stringContaining('/input/path') },
    });
  });

  it('fill in defaults and transform, where the library validates', async () => {
    expect(await connector.run('zod', { path: 'ab' })).toMatchObject({ output: { joined: 'ababab' } });
    expect(await connector.run('valibot', { path: 'ab' })).toMatchObject({ output: { joined: 'ababab' } });
  });

  it('hold the input to what JSON Schema cannot say', async () => {
    expect(await connector.run('refined', { mail: 'a..b@example.com' })).toMatchObject({
      status: 'failed',
      error: { code: 'INPUT_INVALID', message: expect.stringContaining('/input/mail') },
    });
    expect(await connector.run('refined', { mail: 'ab@example.com' })).toMatchObject({ output: { at: 'example.com' } });
    expect(schemaOf('refined')).toMatchObject({ properties: { mail: { type: 'string', format: 'email' } } });
  });

  it('hold the result to the output schema', async () => {
    expect(await connector.run('wrong_result')).toMatchObject({
      status: 'failed',
      error: { code: 'RESULT_INVALID', message: expect.stringContaining('/output/count') },
    });
    expect(schemaOf('refined', 'output')).toMatchObject({ properties: { at: { type: 'string' } } });
  });

  it('describe the credential, with its secrets', () => {
    expect(connector.manifest.credential).toMatchObject({
      type: 'object',
      properties: { api_key: { type: 'string', writeOnly: true } },
    });
  });
});
