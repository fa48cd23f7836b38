import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { COMPONENTS } from '../../src/core/log.ts';
import { createHttpMetrics, processFamilies } from '../../src/http/metrics.ts';
import { watchEventLoop } from '../../src/metrics/event-loop.ts';
import { hostFamilies } from '../../src/metrics/host-families.ts';
import { createRunMeters } from '../../src/metrics/run-meters.ts';
import { StoreMeter } from '../../src/metrics/store-meter.ts';
import { ROOT } from '../support/running-host.ts';

const page = readFileSync(path.join(ROOT, 'docs/ENHANCED_LOGGING_GUIDE.md'), 'utf8');

test('the guide lists every metric family of the host, and no other', () => {
  const eventLoop = watchEventLoop();
  const families = [
    ...createHttpMetrics().families(),
    ...processFamilies(),
    ...createRunMeters().families(),
    ...new StoreMeter().families(),
    ...eventLoop.families(),
    ...hostFamilies({
      version: '1',
      admission: { running: 0, queued: 0 },
      engine: { stats: () => ({ restarts: 0, engines: [] }) },
      broker: { circuits: () => ({ open: [], opened: 0, refused: 0 }) },
      pluginStates: () => [],
    }),
  ];
  eventLoop.stop();
  const rows = page.split('\n').filter((line) => /^\| `(?:goflow|nodejs|process)_/.test(line));
  const listed = rows.flatMap((row) =>
    [...(row.split('|')[1] as string).matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name),
  );
  expect(listed.sort()).toEqual(families.map(({ name }) => name).sort());
});

test('the files that the guide names exist', () => {
  const links = [...page.matchAll(/\]\(((?:observability|errors)[^)]*)\)/g)].map(([, link]) => link as string);
  expect(links.length).toBeGreaterThan(7);
  for (const link of links) expect(existsSync(path.join(ROOT, 'docs', link)), link).toBe(true);
});

test('the guide names every component of the log', () => {
  for (const component of COMPONENTS) expect(page).toContain(`\`${component}\``);
});
