import { type OpenConnector, openConnector } from '@goflow/plugin-sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let connector: OpenConnector;
beforeAll(async () => {
  connector = await openConnector({ dir: new URL('..', import.meta.url) });
});
afterAll(() => connector.close());

describe('testing', () => {
  it.each([[{ a: [1, null, 'x'] }], ['text'], [0], [false], [null], [[]]])('answers %j', async (response) => {
    expect(await connector.run('testing', { response })).toMatchObject({ status: 'succeeded', output: response });
  });

  it('answers null when it is told nothing', async () => {
    expect(await connector.run('testing')).toMatchObject({ status: 'succeeded', output: null });
  });

  it('waits as long as it is told', async () => {
    const began = performance.now();
    expect(await connector.run('testing', { response: 1, delay_ms: 150 })).toMatchObject({ output: 1 });
    expect(performance.now() - began).toBeGreaterThan(140);
  });

  it('answers many at once while they wait', async () => {
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, index) => connector.run('testing', { response: index, delay_ms: 200 })),
    );
    expect(all.map((outcome) => (outcome.status === 'succeeded' ? outcome.output : outcome))).toEqual(
      Array.from({ length: 100 }, (_, index) => index),
    );
  });

  it.each([
    [400, false],
    [404, false],
    [429, true],
    [503, true],
  ])('fails with status %i, retryable: %s', async (status, retryable) => {
    expect(await connector.run('testing', { status, response: { why: 'x' } })).toMatchObject({
      status: 'failed',
      error: { code: `HTTP_${status}`, retryable, details: { status, response: { why: 'x' } } },
    });
  });

  it('ends with its deadline', async () => {
    expect(await connector.run('testing', { delay_ms: 60_000 }, { timeoutMs: 100 })).toMatchObject({
      status: 'timed_out',
    });
  });

  it('takes nothing else', async () => {
    expect(await connector.run('testing', { delay: 1 })).toMatchObject({ error: { code: 'INPUT_INVALID' } });
  });
});
