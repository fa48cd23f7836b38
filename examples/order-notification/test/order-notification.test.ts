import { copyFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildFolder } from '../../../test/support/connector.ts';
import { cleanUp, type HostProcess, ROOT, startHost, until } from '../../../test/support/host-process.ts';
import { type MailServer, startMailServer } from '../../../test/support/mail-server.ts';

describe('examples/order-notification', () => {
  let host: HostProcess;
  let mail: MailServer;

  beforeAll(async () => {
    mail = await startMailServer();
    host = await startHost({ env: { GOFLOW_EGRESS_ALLOW_PRIVATE: `127.0.0.1:${mail.port}` } });
    for (const plugin of ['email', 'transform', 'testing']) {
      const bundle = await buildFolder(path.join(ROOT, 'plugins', plugin));
      await copyFile(bundle, path.join(host.pluginsDir, path.basename(bundle)));
      await until(
        () => host.request('GET', `/api/plugins/${plugin}`),
        (answer) => answer.body.state === 'enabled',
      );
    }
    const values = { host: '127.0.0.1', port: mail.port, secure: 'none', from: 'shop@example.org' };
    expect(
      (await host.request('POST', '/api/credentials', { name: 'smtp-main', plugin: 'email', values })).status,
    ).toBe(201);
    const { id, ...workflow } = JSON.parse(
      await readFile(path.join(ROOT, 'examples/order-notification/workflow.json'), 'utf8'),
    );
    const made = await host.request('PUT', `/api/workflows/${id}`, workflow);
    expect(made.status, JSON.stringify(made.body)).toBe(201);
  });
  afterAll(async () => {
    await cleanUp();
    await mail.close();
  });

  it('sums up, reserves and tells the customer', async () => {
    const items = [
      { name: 'Tea', price: 4.5, quantity: 2 },
      { name: 'Cup', price: 12, quantity: 1 },
    ];
    const parameters = { email: 'alex@example.com', order: { id: 'A-1001', items } };
    const { status, body } = await host.request('POST', '/api/workflows/order-notification/trigger?wait=20', {
      parameters,
    });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.status, JSON.stringify(body.error)).toBe('succeeded');
    expect(body.steps).toMatchObject([
      {
        id: 'summary',
        plugin: 'transform',
        status: 'succeeded',
        output: { id: 'A-1001', total: '21.00', lines: '2 x Tea\n1 x Cup' },
      },
      { id: 'reserve', plugin: 'testing', status: 'succeeded', output: { reservation: 'R-A-1001', ready_in_days: 2 } },
      { id: 'notify', plugin: 'email', status: 'succeeded' },
    ]);
    expect(body.output).toEqual(body.steps[2].output);
    const [received] = mail.mails;
    expect(received?.to).toEqual(['alex@example.com']);
    expect(received?.parsed.subject).toBe('Your order A-1001');
    expect(received?.parsed.text?.trim()).toBe(
      'Thank you for your order A-1001:\n\n2 x Tea\n1 x Cup\n\nTotal: 21.00 EUR\nReservation R-A-1001, ready in 2 days.',
    );
  });

  it('refuses an order that is none, with pointers into it', async () => {
    const parameters = {
      email: 'alex@example.com',
      order: { id: '', items: [{ name: 'Tea', price: -1, quantity: 1.5 }] },
    };
    const { status, body } = await host.request('POST', '/api/workflows/order-notification/trigger', { parameters });
    expect(status).toBe(400);
    expect(body.errors.map((one: { pointer: string }) => one.pointer).toSorted()).toEqual([
      '/parameters/order/id',
      '/parameters/order/items/0/price',
      '/parameters/order/items/0/quantity',
    ]);
  });
});
