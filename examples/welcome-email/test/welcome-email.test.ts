import { copyFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildFolder } from '../../../test/support/connector.ts';
import { cleanUp, type HostProcess, ROOT, startHost, until } from '../../../test/support/host-process.ts';
import { type MailServer, startMailServer } from '../../../test/support/mail-server.ts';

describe('examples/welcome-email', () => {
  let host: HostProcess;
  let mail: MailServer;

  beforeAll(async () => {
    mail = await startMailServer();
    host = await startHost({ env: { GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${mail.port}` } });
    const bundle = await buildFolder(path.join(ROOT, 'plugins/email'));
    await copyFile(bundle, path.join(host.pluginsDir, path.basename(bundle)));
    await until(
      () => host.request('GET', '/api/plugins/email'),
      (answer) => answer.body.state === 'enabled',
    );
    const values = { host: '127.0.0.1', port: mail.port, secure: 'none', from: 'hello@example.org' };
    expect(
      (await host.request('POST', '/api/credentials', { name: 'smtp-main', plugin: 'email', values })).status,
    ).toBe(201);
    const { id, ...workflow } = JSON.parse(
      await readFile(path.join(ROOT, 'examples/welcome-email/workflow.json'), 'utf8'),
    );
    const made = await host.request('PUT', `/api/workflows/${id}`, workflow);
    expect(made.status, JSON.stringify(made.body)).toBe(201);
  });
  afterAll(async () => {
    await cleanUp();
    await mail.close();
  });

  const trigger = (parameters: object) =>
    host.request('POST', '/api/workflows/send-welcome-email/trigger?wait=20', { parameters });

  it('sends the mail that it promises', async () => {
    const { status, body } = await trigger({ customer_name: 'Alex', email: 'alex@example.com', plan: 'pro' });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({ status: 'succeeded', output: { message: 'Welcome Alex! Your pro plan is ready.' } });
    expect(mail.mails.at(-1)).toMatchObject({ to: ['alex@example.com'], parsed: { subject: 'Welcome, Alex!' } });
  });

  it('says free where no plan is given', async () => {
    const { body } = await trigger({ customer_name: 'Zoë', email: 'zoe@example.com' });
    expect(body).toMatchObject({ status: 'succeeded', output: { message: 'Welcome Zoë! Your free plan is ready.' } });
    expect(mail.mails.at(-1)?.parsed.text?.trim()).toBe('Welcome Zoë! Your free plan is ready.');
  });

  it('names every problem at once', async () => {
    const { status, body } = await trigger({ customer_name: '', plan: 'gold', colour: 'red' });
    expect(status).toBe(400);
    expect(body.errors.map((one: { pointer: string; keyword: string }) => `${one.pointer} ${one.keyword}`)).toEqual([
      '/parameters/customer_name minLength',
      '/parameters/email required',
      '/parameters/plan enum',
      '/parameters/colour additionalProperties',
    ]);
  });
});
