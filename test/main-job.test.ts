import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildFolder } from './support/connector.ts';
import { cleanUp, ROOT, startHost, until, type HostProcess } from './support/host-process.ts';
import { startMailServer, type MailServer } from './support/mail-server.ts';

const WELCOME = {
  name: 'Send Welcome Email',
  parameters: [
    { name: 'customer_name', type: 'string', required: true, maxLength: 80 },
    { name: 'email', type: 'string', required: true, format: 'email' },
    { name: 'plan', type: 'string', default: 'free', enum: ['free', 'pro'] },
  ],
  action: 'send_email',
  config: {
    to: '{{params.email}}',
    subject: 'Welcome',
    message: 'Welcome {{params.customer_name}}! Your {{params.plan}} plan is ready.',
  },
  credential: 'smtp-main',
};

describe('the main job: a connector from its source to a triggered, sandboxed, durable run', () => {
  let host: HostProcess;
  let mail: MailServer;
  let workflowId: string;

  beforeAll(async () => {
    mail = await startMailServer();
    host = await startHost({ env: { GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${mail.port}` } });
    const bundle = await buildFolder(path.join(ROOT, 'plugins/email'));
    await copyFile(bundle, path.join(host.pluginsDir, path.basename(bundle)));
    await until(
      () => host.request('GET', '/api/plugins/email'),
      (answer) => answer.status === 200 && answer.body.state === 'enabled',
    );
    const credential = await host.request('POST', '/api/credentials', {
      name: 'smtp-main',
      plugin: 'email',
      values: {
        host: '127.0.0.1',
        port: mail.port,
        secure: 'none',
        from: 'hello@shop.example',
        default_to: 'desk@shop.example',
      },
    });
    expect(credential.status).toBe(201);
    const workflow = await host.request('POST', '/api/workflows', WELCOME);
    expect(workflow.status, JSON.stringify(workflow.body)).toBe(201);
    workflowId = workflow.body.id as string;
    expect(workflow.headers.get('location')).toBe(`/api/workflows/${workflowId}`);
  });

  afterAll(async () => {
    await cleanUp();
    await mail.close();
  });

  it('sends the mail, and run, log lines and trace agree', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const answer = await host.request(
      'POST',
      `/api/workflows/${workflowId}/trigger?wait=20`,
      { parameters: { customer_name: 'Alex', email: 'alex@example.com', plan: 'pro' } },
      { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    );
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const run = answer.body;
    expect(run).toMatchObject({
      status: 'succeeded',
      trace_id: traceId,
      workflow_id: workflowId,
      workflow_version: 1,
      attempt: 1,
      error: null,
    });
    expect(run.output).toMatchObject({
      accepted: ['alex@example.com'],
      rejected: [],
      message: 'Welcome Alex! Your pro plan is ready.',
    });
    expect(run.steps).toHaveLength(1);
    expect(run.steps[0]).toMatchObject({ action: 'send_email', plugin: 'email', status: 'succeeded', attempt: 1 });
    expect(run.steps[0].duration_ms).toBeLessThanOrEqual(run.duration_ms);

    expect(mail.mails).toHaveLength(1);
    const [received] = mail.mails;
    expect(received?.to).toEqual(['alex@example.com']);
    expect(received?.parsed.text?.trim()).toBe('Welcome Alex! Your pro plan is ready.');
    expect(received?.parsed.subject).toBe('Welcome');
    expect(received?.parsed.messageId).toBe(run.output.message_id);
    expect(received?.raw.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);

    const executed = await host.line((line) => line.msg === 'workflow executed' && line['run_id'] === run.id);
    expect(executed).toMatchObject({
      component: 'executor',
      status: 'succeeded',
      trace_id: traceId,
      tenant_id: 'default',
      user_id: 'dev',
      duration_ms: run.duration_ms,
    });
    const called = await host.line((line) => line.msg === 'action finished' && line['run_id'] === run.id);
    expect(called).toMatchObject({ component: 'plugin', plugin: 'email', action: 'send_email', trace_id: traceId });
    const sent = await host.line((line) => line.component === 'broker' && line['run_id'] === run.id);
    expect(sent).toMatchObject({ host: '127.0.0.1', port: mail.port, trace_id: traceId });
    const request = await host.line((line) => line.component === 'http' && line['trace_id'] === traceId);
    expect(request).toMatchObject({ status: 200, method: 'POST' });
    expect(request['duration_ms']).toBeGreaterThanOrEqual(run.duration_ms);

    const stored = await host.request('GET', `/api/runs/${run.id}`);
    expect(stored.body).toEqual(run);
  });

  it('fills the default when the plan is left out', async () => {
    const answer = await host.request('POST', `/api/workflows/${workflowId}/trigger?wait=20`, {
      parameters: { customer_name: 'Sam', email: 'sam@example.com' },
    });
    expect(answer.body).toMatchObject({ status: 'succeeded', parameters: { plan: 'free' } });
    expect(mail.mails.at(-1)?.parsed.text?.trim()).toBe('Welcome Sam! Your free plan is ready.');
  });

  it('sends to default_to of the credential when the config has the message alone', async () => {
    const created = await host.request('POST', '/api/workflows', {
      ...WELCOME,
      credential: undefined,
      config: { message: 'Welcome {{params.customer_name}}! Your {{params.plan}} plan is ready.' },
    });
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    const answer = await host.request(
      'POST',
      `/api/workflows/${created.body.id}/trigger`,
      { parameters: { customer_name: 'Kim', email: 'kim@example.com' } },
      { prefer: 'wait=20' },
    );
    expect(answer.body).toMatchObject({ status: 'succeeded', output: { accepted: ['desk@shop.example'] } });
  });

  it('answers 202 with a Location once the run is durable', async () => {
    const answer = await host.request('POST', `/api/workflows/${workflowId}/trigger`, {
      parameters: { customer_name: 'Lee', email: 'lee@example.com' },
    });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`/api/runs/${answer.body.run_id}`);
    expect(Object.keys(answer.body).sort()).toEqual(['run_id', 'status', 'trace_id', 'workflow_id']);
    const run = await until(
      () => host.request('GET', `/api/runs/${answer.body.run_id}`),
      ({ body }) => body.status === 'succeeded',
    );
    expect(run.body.trace_id).toBe(answer.body.trace_id);
  });

  it('tells every wrong parameter at once, with its pointer', async () => {
    const answer = await host.request('POST', `/api/workflows/${workflowId}/trigger`, {
      parameters: { email: 5, plan: 'gold', colour: 'red' },
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const found = answer.body.errors.map((one: { pointer: string; keyword: string }) => [one.pointer, one.keyword]);
    expect(found).toEqual(
      expect.arrayContaining([
        ['/parameters/customer_name', 'required'],
        ['/parameters/email', 'type'],
        ['/parameters/plan', 'enum'],
        ['/parameters/colour', 'additionalProperties'],
      ]),
    );
  });

  it('shows the credential without its values', async () => {
    const answer = await host.request('GET', '/api/credentials');
    expect(answer.body.items[0]).toMatchObject({ name: 'smtp-main', plugin: 'email' });
    expect(JSON.stringify(answer.body)).not.toContain('127.0.0.1');
  });

  it('works as plain curl does it: no header, no action', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const created = await host.request(
      'POST',
      '/api/workflows',
      '{"name":"Welcome Email","parameters":[{"name":"user","type":"string"}]}',
      form,
    );
    expect(created.status).toBe(201);
    const answer = await host.request(
      'POST',
      `/api/workflows/${created.body.id}/trigger?wait=5`,
      '{"parameters":{"user":"Alex"}}',
      form,
    );
    expect(answer.body).toMatchObject({ status: 'succeeded', output: { user: 'Alex' }, steps: [] });
  });
});
