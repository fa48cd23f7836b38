import { ConnectorError, type ConnectorContext, type ConnectorSocket, type Infer } from '@goflow/plugin-sdk';
import type { credential } from './schema.ts';
import { SmtpClient } from './smtp-client.ts';

export type EmailCredential = Infer<typeof credential>;
type Context = ConnectorContext<EmailCredential>;

/** Connects, secures the connection as the credential says, and signs in. */
export async function openSession(ctx: Context): Promise<SmtpClient> {
  const { host, port, user, password } = ctx.credential;
  const secure = ctx.credential.secure ?? (port === 465 ? 'tls' : 'auto');
  const client = secure === 'auto' ? await openOpportunistic(ctx) : await open(ctx, secure);
  try {
    if (user !== undefined && user !== '') await client.authenticate(user, password ?? '');
    return client;
  } catch (error) {
    await client.close();
    ctx.log.debug('sign-in failed', { host, port });
    throw error;
  }
}

async function open(ctx: Context, secure: 'tls' | 'starttls' | 'none'): Promise<SmtpClient> {
  const client = await greet(ctx, secure === 'tls' ? 'on' : secure === 'starttls' ? 'starttls' : 'off');
  if (secure !== 'starttls') return client;
  if (!client.offers('STARTTLS')) {
    await client.close();
    throw new ConnectorError(
      'SMTP_TLS_FAILED',
      'the mail server offers no STARTTLS; "secure" may have to be "tls" (port 465) or "none"',
    );
  }
  return await upgrade(ctx, client);
}

/**
 * TLS where the server offers it. Where its TLS does not work, mail without a password goes on without, as mail servers do among themselves:
 * anybody in between could have removed the offer anyway. A password needs TLS that works, or a credential that says `"secure": "none"`.
 */
async function openOpportunistic(ctx: Context): Promise<SmtpClient> {
  const hasPassword = ctx.credential.user !== undefined && ctx.credential.user !== '';
  const client = await greet(ctx, 'starttls');
  if (!client.offers('STARTTLS')) {
    if (!hasPassword) return client;
    await client.close();
    throw new ConnectorError(
      'SMTP_TLS_FAILED',
      'the mail server offers no STARTTLS, and a password is not sent in the clear; set "secure" to "none" to allow it',
    );
  }
  try {
    return await upgrade(ctx, client);
  } catch (error) {
    if (hasPassword || ctx.signal.aborted) throw error;
    ctx.log.warn('STARTTLS failed; sending without TLS', {
      reason: error instanceof Error ? error.message : 'unknown',
    });
    return await greet(ctx, 'off');
  }
}

async function upgrade(ctx: Context, client: SmtpClient): Promise<SmtpClient> {
  try {
    await client.startTls(ctx.credential.host);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function greet(ctx: Context, secureTransport: 'on' | 'off' | 'starttls'): Promise<SmtpClient> {
  const { host, port } = ctx.credential;
  const socket: ConnectorSocket = ctx.connect({ hostname: host, port }, { secureTransport });
  await socket.opened;
  const client = new SmtpClient(socket);
  try {
    await client.open();
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}
