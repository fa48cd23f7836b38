import { expect, it } from 'vitest';
import { newContext } from '../../src/core/context.ts';
import type { Credentials } from '../../src/credential/credentials.ts';
import type { Plugins } from '../../src/plugin/types.ts';
import { ActiveRun } from '../../src/run/active-run.ts';
import { RunMask } from '../../src/run/masking.ts';
import { prepareCall } from '../../src/run/prepare.ts';
import { compileWorkflow } from '../../src/workflow/compile.ts';
import type { WorkflowDefinition } from '../../src/workflow/definition.ts';
import { RUN, WORKFLOW } from '../http/harness.ts';

const DEFINITION: WorkflowDefinition = {
  name: 'waits',
  parameters: [],
  form: 'action',
  steps: [{ id: 'main', action: 'mail/send', config: {} }],
  execution_timeout: 300,
  on_missing: 'error',
};

function makeRun(): ActiveRun {
  const workflow = compileWorkflow({ ...WORKFLOW, definition: DEFINITION as never });
  return new ActiveRun({
    ctx: newContext({ tenantId: 'default', userId: 'dev' }),
    record: { ...RUN, status: 'running' },
    internals: { sealed_parameters: null, parent_span_id: null },
    workflow,
    parameters: {},
    mask: new RunMask({}, new Set()),
  });
}

/** An enabled plugin whose credential is looked up by `resolve`. */
function services(resolve: () => Promise<never>) {
  const manifest = { name: 'mail', version: '1.0.0', credential: { type: 'object' } };
  const action = { id: 'send', action: {}, state: 'enabled', granted: {}, plugin: { manifest, digest: 'sha256-x' } };
  return {
    plugins: { findAction: () => ({ found: true, action }), admit: () => 'go' } as unknown as Plugins,
    credentials: { resolve } as unknown as Credentials,
  };
}

const hangs = () => new Promise<never>(() => undefined);

it('a step whose credential is not found in time is timed out at its deadline, not when the look-up ends', async () => {
  const run = makeRun();
  const [step] = run.workflow.steps;
  const deadline = performance.now() + 50;
  expect(await prepareCall(services(hangs), run, step!, deadline)).toMatchObject({ kind: 'timed_out' });
  expect(run.dueAt).toBe(deadline);
});

it('a step whose run is cancelled during the look-up ends at once', async () => {
  const run = makeRun();
  const [step] = run.workflow.steps;
  const prepared = prepareCall(services(hangs), run, step!, performance.now() + 60_000);
  run.abort('cancel');
  expect(await prepared).toMatchObject({ kind: 'cancelled' });
});

it('a look-up that is refused because the time is over is no missing credential', async () => {
  const run = makeRun();
  const [step] = run.workflow.steps;
  const refused = async () => {
    run.abort('cancel');
    throw new DOMException('the context has ended', 'AbortError');
  };
  expect(await prepareCall(services(refused), run, step!, performance.now() + 60_000)).toMatchObject({
    kind: 'cancelled',
  });
});

it('a look-up that fails in time is a missing credential', async () => {
  const run = makeRun();
  const [step] = run.workflow.steps;
  const fails = () => Promise.reject(new Error('no such credential'));
  expect(await prepareCall(services(fails), run, step!, performance.now() + 60_000)).toMatchObject({
    kind: 'failed',
    error: { code: 'CREDENTIAL_MISSING' },
  });
});
