import { type OpenConnector, openConnector } from '@goflow/plugin-sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let connector: OpenConnector;
beforeAll(async () => {
  connector = await openConnector({ dir: new URL('..', import.meta.url) });
});
afterAll(() => connector.close());

const order = {
  id: 7,
  items: [
    { sku: 'a', price: 3, n: 2 },
    { sku: 'b', price: 5, n: 1 },
  ],
};

describe('transform', () => {
  it.each([
    ['$sum(items.(price * n))', order, 11],
    ['items.sku', order, ['a', 'b']],
    ['items[price > 4].sku', order, 'b'],
    ['{ "order": id, "skus": items.sku }', order, { order: 7, skus: ['a', 'b'] }],
    ['items{sku: price}', order, { a: 3, b: 5 }],
    ['nothing', order, null],
    ['"Hi " & $uppercase(name)', { name: 'alex' }, 'Hi ALEX'],
    ['$', 'text', 'text'],
    ['$map([1..3], function($i) { $i * 2 })', null, [2, 4, 6]],
    ['$fromMillis(0)', null, '1970-01-01T00:00:00.000Z'],
    ['$replace("2026-01", /-(\\d+)/, "/$1")', null, '2026/01'],
  ])('%s of %j is %j', async (expression, input, output) => {
    expect(await connector.run('transform', { expression, input })).toMatchObject({ status: 'succeeded', output });
  });

  it('takes no input, too', async () => {
    expect(await connector.run('transform', { expression: '1 + 1' })).toMatchObject({ output: 2 });
  });

  it('says where an expression is wrong', async () => {
    const outcome = await connector.run('transform', { expression: 'items[price >' });
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'EXPRESSION_INVALID', retryable: false, details: { position: 13 } },
    });
    expect(outcome.status === 'failed' && outcome.error.message).toContain('at character 13');
  });

  it('says why an expression failed', async () => {
    expect(await connector.run('transform', { expression: '"a" * 2', input: {} })).toMatchObject({
      status: 'failed',
      error: { code: 'EXPRESSION_FAILED', details: { jsonata_code: 'T2001' } },
    });
  });

  it('refuses a function as a result', async () => {
    expect(await connector.run('transform', { expression: 'function($x) { $x }' })).toMatchObject({
      status: 'failed',
      error: { code: 'RESULT_NOT_JSON' },
    });
  });

  it.each([
    ['a recursion', '($f := function($n) { $f($n + 1) + 1 }; $f(0))'],
    ['a tail recursion', '($f := function($n) { $f($n + 1) }; $f(0))'],
    ['a pattern', '$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)'],
  ])('ends %s that does not end, with its deadline or before', async (_, expression) => {
    const outcome = await connector.run('transform', { expression, input: {} }, { timeoutMs: 500 });
    expect(outcome.status).toMatch(/^(timed_out|failed)$/);
    expect(await connector.run('transform', { expression: '1' })).toMatchObject({ output: 1 });
  });

  it('keeps evaluations that overlap apart', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        connector.run('transform', { expression: '$map([1..50], function($i) { $i + n })[49]', input: { n: index } }),
      ),
    );
    expect(all.map((outcome) => (outcome.status === 'succeeded' ? outcome.output : outcome))).toEqual(
      Array.from({ length: 20 }, (_, index) => 50 + index),
    );
  });
});
