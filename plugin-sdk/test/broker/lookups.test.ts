import { expect, test } from 'vitest';
import { Lookups } from '../../src/runtime/broker/lookups.ts';
import { ask, fetchCall, httpServer, refused, testBroker, until } from './harness.ts';

const ONE = { owner: 'one', closed: null };
const TWO = { owner: 'two', closed: null };

test('a tenant whose names never resolve holds up its own look-ups only', async () => {
  const server = await httpServer((_request, response) => response.end('hello'));
  const asked: string[] = [];
  const { open } = testBroker({
    resolve: (host) => {
      asked.push(host);
      return host.endsWith('.slow.test') ? new Promise(() => undefined) : Promise.resolve(['127.0.0.1']);
    },
  });
  const hostile = open({ tenantId: 'hostile', granted: { net: ['*.slow.test'] } });
  const other = open({ tenantId: 'other', granted: { net: [`fast.test:${server.port}`] } });
  const stuck = Array.from({ length: 50 }, (_, i) => refused(hostile, fetchCall(`https://n${i}.slow.test/`)));
  await until(() => asked.length === 2);
  expect(await ask(other, fetchCall(`http://fast.test:${server.port}/`))).toMatchObject({ status: 200 });
  expect(asked).toEqual(['n0.slow.test', 'n1.slow.test', 'fast.test']);
  hostile.close('ended');
  await Promise.all(stuck);
});

test('a name is asked for once at a time, and again when its answer has come', async () => {
  const asked: string[] = [];
  const answers: Array<(addresses: string[]) => void> = [];
  const lookups = new Lookups((host) => {
    asked.push(host);
    return new Promise((resolve) => answers.push(resolve));
  });
  const both = [lookups.addresses('a.test', ONE), lookups.addresses('a.test', TWO)];
  await until(() => answers.length === 1);
  answers[0]!(['192.0.2.1']);
  expect(await Promise.all(both)).toEqual([['192.0.2.1'], ['192.0.2.1']]);
  const later = lookups.addresses('a.test', ONE);
  await until(() => answers.length === 2);
  answers[1]!(['192.0.2.2']);
  expect(await later).toEqual(['192.0.2.2']);
  expect(asked).toEqual(['a.test', 'a.test']);
});

test('a look-up that fails gives its place back', async () => {
  const lookups = new Lookups(() => Promise.reject(new Error('no such name')));
  for (let at = 0; at < 5; at++) await expect(lookups.addresses(`${at}.test`, ONE)).rejects.toThrow('no such name');
});

test('a look-up whose asker has gone before its turn is never made', async () => {
  const asked: string[] = [];
  const answers: Array<() => void> = [];
  const lookups = new Lookups((host) => {
    asked.push(host);
    return new Promise((resolve) => answers.push(() => resolve([])));
  });
  const first = [lookups.addresses('a.test', ONE), lookups.addresses('b.test', ONE)];
  const gone = { owner: 'one', closed: null as Error | null };
  const late = lookups.addresses('c.test', gone);
  await until(() => asked.length === 2);
  gone.closed = new Error('the run has ended');
  for (const answer of answers) answer();
  await Promise.all(first);
  await expect(late).rejects.toThrow('the run has ended');
  expect(asked).toEqual(['a.test', 'b.test']);
});
