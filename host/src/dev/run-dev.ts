import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { JsonValue } from '@goflow/plugin-sdk/contract';
import type { HostConfig } from '../core/config.ts';
import { newContext, type Context } from '../core/context.ts';
import { messageOf } from '../core/errors.ts';
import type { Host } from '../host.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { json } from '../http/reply.ts';
import { runHost } from '../main/run-host.ts';
import { openInbox, type Inbox } from './inbox.ts';

/** First choice, so that a credential made by hand goes on working after a restart. */
const INBOX_PORT = 2525;
const CREDENTIAL = 'smtp-main';

/** The host with what a newcomer needs: a mail inbox on this machine, a credential for it, and the example workflows. Gives the exit status. */
export async function runDev(config: HostConfig): Promise<number> {
  const inbox = await openInbox(INBOX_PORT);
  const allowed = [config.egressAllowPrivate, `127.0.0.1:${inbox.port}`].filter((part) => part !== '').join(',');
  try {
    return await runHost({ ...config, egressAllowPrivate: allowed }, { extraRoutes: [inboxRoute(inbox)] }, (host) =>
      prepare(host, inbox),
    );
  } finally {
    await inbox.close();
  }
}

function inboxRoute(inbox: Inbox): Route {
  return defineRoute({
    method: 'GET',
    path: '/dev/inbox',
    act: 'runs:read',
    query: {},
    body: 'none',
    doc: {
      id: 'listInbox',
      tag: 'Development',
      summary: 'Mails that the local inbox received, newest first',
      answers: { 200: ['The mails', { type: 'object' }] },
      problems: [],
    },
    handle: () => json(200, { items: inbox.mails() as unknown as JsonValue, next_cursor: null }),
  });
}

async function prepare(host: Host, inbox: Inbox): Promise<void> {
  const ctx = newContext({ tenantId: 'default', userId: 'dev' });
  const log = host.logging.for('host');
  try {
    await putCredential(host, ctx, inbox.port);
  } catch (error) {
    log.warn(ctx, 'the credential for the local inbox was not made', { 'error.message': messageOf(error) });
  }
  for (const { id, body } of exampleWorkflows()) {
    try {
      // An example that somebody changed stays as it is.
      await host.workflows.get(ctx, id).catch(() => host.workflows.put(ctx, id, body));
    } catch (error) {
      log.warn(ctx, 'an example workflow was not made', { workflow_id: id, 'error.message': messageOf(error) });
    }
  }
  host.logging.flush();
  process.stderr.write(welcome(host.url));
}

async function putCredential(host: Host, ctx: Context, port: number): Promise<void> {
  const existing = await host.credentials.list(ctx, { limit: 200 });
  const old = existing.items.find((credential) => credential.plugin === 'email' && credential.name === CREDENTIAL);
  if (old !== undefined) await host.credentials.delete(ctx, old.id);
  await host.credentials.create(ctx, {
    name: CREDENTIAL,
    plugin: 'email',
    values: {
      host: '127.0.0.1',
      port,
      secure: 'none',
      from: 'GoFlow <hello@goflow.example>',
      default_to: 'inbox@goflow.example',
    },
  });
}

/** `examples/<name>/workflow.json` of this checkout; none where the package stands alone. */
function exampleWorkflows(): readonly { readonly id: string; readonly body: JsonValue }[] {
  const dir = path.join(
    path.dirname(createRequire(import.meta.url).resolve('@goflow/host/package.json')),
    '..',
    'examples',
  );
  if (!existsSync(dir)) return [];
  return readdirSync(dir).flatMap((name) => {
    const file = path.join(dir, name, 'workflow.json');
    if (!existsSync(file)) return [];
    const { id, ...body } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, JsonValue>;
    return [{ id: typeof id === 'string' ? id : name, body }];
  });
}

function welcome(url: string): string {
  return `
GoFlow is ready.

  API         ${url}/api/workflows
  Reference   ${url}/docs
  Mail inbox  ${url}/dev/inbox

Send the welcome mail:

  curl -s -X POST '${url}/api/workflows/send-welcome-email/trigger?wait=10' -d '{"parameters":{"customer_name":"Alex","email":"alex@example.com","plan":"pro"}}'
`;
}
