import { describe, expect, test } from 'vitest';
import { COMPONENTS, createLogging } from '../../src/core/log.ts';
import { startHost } from './harness.ts';

function newLogging() {
  const lines: Array<Record<string, unknown>> = [];
  const logging = createLogging({
    level: 'info',
    levels: { http: 'warn' },
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  return { logging, lines };
}

describe('/api/log-levels', () => {
  test('shows the level of each component as it was configured', async () => {
    const { logging } = newLogging();
    const host = await startHost({ services: { logging } });
    const answer = await host.send('GET', '/api/log-levels');
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json.levels)).toEqual([...COMPONENTS]);
    expect(answer.json.levels).toMatchObject({ host: 'info', http: 'warn' });
  });

  test('changes what is logged from the next line on, of the named components only', async () => {
    const { logging, lines } = newLogging();
    const executor = logging.for('executor');
    const broker = logging.for('broker');
    const host = await startHost({ services: { logging } });
    executor.debug(null, 'before');
    const answer = await host.send('PUT', '/api/log-levels', { json: { levels: { executor: 'debug' } } });
    expect([answer.status, answer.json.levels.executor, answer.json.levels.broker]).toEqual([200, 'debug', 'info']);
    executor.debug(null, 'after');
    broker.debug(null, 'other');
    expect(executor.enabled('debug')).toBe(true);
    await host.send('PUT', '/api/log-levels', { json: { levels: { executor: 'error' } } });
    executor.warn(null, 'too quiet');
    expect(lines.map(({ msg }) => msg)).toEqual(['after']);
  });

  test('refuses unknown components and levels, each with its pointer, and changes nothing then', async () => {
    const { logging } = newLogging();
    const host = await startHost({ services: { logging } });
    const answer = await host.send('PUT', '/api/log-levels', {
      json: { levels: { executor: 'debug', kitchen: 'info', store: 'loud' } },
    });
    expect(answer.status).toBe(400);
    expect(answer.json.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/levels/kitchen',
      '/levels/store',
    ]);
    expect(logging.levels().executor).toBe('info');
    expect((await host.send('PUT', '/api/log-levels', { json: { levels: [] } })).status).toBe(400);
  });

  test("is for who administers the whole host, not for a tenant's admin", async () => {
    const { logging } = newLogging();
    const host = await startHost({ locked: true, services: { logging } });
    for (const role of ['viewer', 'admin']) {
      const headers = { authorization: `Bearer ${role}` };
      expect((await host.send('GET', '/api/log-levels', { headers })).status).toBe(403);
      const put = await host.send('PUT', '/api/log-levels', { headers, json: { levels: { host: 'debug' } } });
      expect(put.status).toBe(403);
    }
    expect(logging.levels().host).toBe('info');
  });
});
