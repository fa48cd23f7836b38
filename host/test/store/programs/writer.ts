import { writeSync } from 'node:fs';
import { createLogging } from '../../../src/core/log.ts';
import type { RunRecord } from '../../../src/core/records.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open.ts';
import { systemContext } from '../../../src/core/context.ts';
import { newId } from '../../../src/core/ids.ts';

// Accepts and finishes runs, 16 at once, until it is killed. Says "A id" and "F id" after the store has acknowledged each.
const ctx = systemContext();
const log = createLogging({ level: 'fatal', levels: {}, write: () => {} }).for('store');
const store = await openSqliteStore({ dataDir: process.argv[2] ?? '', log });

async function work(): Promise<never> {
  for (;;) {
    const at = new Date().toISOString();
    const run: RunRecord = {
      id: newId('run'),
      workflow_id: 'wf_1',
      workflow_version: 1,
      status: 'queued',
      trigger: { type: 'api' },
      parameters: { text: 'x'.repeat(300) },
      output: null,
      error: null,
      steps: [],
      trace_id: ctx.traceId,
      tenant_id: 'default',
      user_id: 'dev',
      created_at: at,
      started_at: null,
      finished_at: null,
      duration_ms: null,
      attempt: 0,
      ended_by: null,
    };
    await store.runs.accept(ctx, run, { sealed_parameters: null, parent_span_id: null });
    writeSync(1, `A ${run.id}\n`);
    await store.runs.finish(ctx, { ...run, status: 'succeeded', finished_at: at }, []);
    writeSync(1, `F ${run.id}\n`);
  }
}

writeSync(1, 'open\n');
await Promise.all(Array.from({ length: 16 }, () => work()));
