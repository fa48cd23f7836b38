import { expect, test } from 'vitest';
import { BrokerError } from '../../src/runtime/broker/errors.ts';
import { Circuits, type Health } from '../../src/runtime/broker/circuits.ts';
import { retryAfterMs } from '../../src/runtime/broker/retry-after.ts';

function circuitsAt(): { circuits: Circuits; clock: { now: number }; call: (health: Health, asked?: number) => void } {
  const clock = { now: 1000 };
  const circuits = new Circuits(() => clock.now);
  return { circuits, clock, call: (health, asked) => circuits.enter('t', 'p', 'dead.example', 443)(health, asked) };
}

function refusal(circuits: Circuits, tenant = 't', plugin = 'p', host = 'dead.example', port = 443): unknown {
  try {
    circuits.enter(tenant, plugin, host, port)('none');
    return null;
  } catch (error) {
    return error instanceof BrokerError ? error.data : error;
  }
}

test('ten failures in a row open the circuit, for that tenant, plugin, host and port alone', () => {
  const { circuits, call } = circuitsAt();
  for (let count = 0; count < 9; count += 1) call('bad');
  call('good');
  for (let count = 0; count < 9; count += 1) call('bad');
  expect(refusal(circuits)).toBeNull();
  call('bad');
  expect(refusal(circuits)).toMatchObject({
    code: 'CIRCUIT_OPEN',
    retryable: true,
    details: { host: 'dead.example:443', retry_after_ms: 2000 },
  });
  for (const [tenant, plugin, host, port] of [
    ['other', 'p', 'dead.example', 443],
    ['t', 'other', 'dead.example', 443],
    ['t', 'p', 'other.example', 443],
    ['t', 'p', 'dead.example', 80],
  ] as const)
    expect(refusal(circuits, tenant, plugin, host, port)).toBeNull();
  expect(circuits.stats()).toMatchObject({ opened: 1, refused: 1, open: [{ tenantId: 't', host: 'dead.example' }] });
});

test('one probe is let through after a while; it closes the circuit, or the wait doubles', () => {
  const { circuits, clock, call } = circuitsAt();
  for (let count = 0; count < 10; count += 1) call('bad');
  clock.now += 2000;
  const probe = circuits.enter('t', 'p', 'dead.example', 443);
  expect(refusal(circuits)).toMatchObject({ code: 'CIRCUIT_OPEN' });
  probe('bad');
  expect(refusal(circuits)).toMatchObject({ details: { retry_after_ms: 4000 } });
  clock.now += 4000;
  // A probe that was cut off says nothing: the next request is one.
  circuits.enter('t', 'p', 'dead.example', 443)('none');
  circuits.enter('t', 'p', 'dead.example', 443)('good');
  expect(circuits.stats().open).toEqual([]);
  for (let count = 0; count < 9; count += 1) call('bad');
  expect(refusal(circuits)).toBeNull();
});

test('the wait grows to a minute, and to what the host asks for', () => {
  const { circuits, clock, call } = circuitsAt();
  for (let count = 0; count < 10; count += 1) call('bad');
  for (let probes = 0; probes < 10; probes += 1) {
    clock.now += 60_000;
    call('bad');
  }
  expect(refusal(circuits)).toMatchObject({ details: { retry_after_ms: 60_000 } });
  clock.now += 60_000;
  call('bad', 120_000);
  expect(refusal(circuits)).toMatchObject({ details: { retry_after_ms: 120_000 } });
});

test('requests that were on their way when it opened do not make it wait longer', () => {
  const { circuits, call } = circuitsAt();
  const late = Array.from({ length: 50 }, () => circuits.enter('t', 'p', 'dead.example', 443));
  for (let count = 0; count < 10; count += 1) call('bad');
  for (const report of late) report('bad');
  expect(refusal(circuits)).toMatchObject({ details: { retry_after_ms: 2000 } });
});

test('Retry-After is seconds or a date, of answers that ask to be left alone', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const asked = (status: number, value: string) => retryAfterMs(status, [['retry-after', value]], now);
  expect(asked(503, '7')).toBe(7000);
  expect(asked(429, 'Thu, 01 Jan 2026 00:01:00 GMT')).toBe(60_000);
  expect(asked(200, '7')).toBe(0);
  for (const value of ['', '-1', 'soon', 'Wed, 31 Dec 2025 00:00:00 GMT']) expect(asked(503, value)).toBe(0);
  expect(asked(503, '999999999')).toBe(24 * 60 * 60 * 1000);
});
