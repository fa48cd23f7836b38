import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export const CERT = readFileSync(new URL('./fixtures/cert.pem', import.meta.url), 'utf8');
const KEY = readFileSync(new URL('./fixtures/key.pem', import.meta.url), 'utf8');

export interface Received {
  readonly raw: string;
  readonly mail: ParsedMail;
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string | undefined;
}

export interface MailServer {
  readonly port: number;
  readonly received: Received[];
}

/** A real SMTP server on loopback that keeps what it receives; closed when the test ends. It knows the user `alex` with the password `s3cret`. */
export async function mailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: Received[] = [];
  const server = new SMTPServer({
    cert: CERT,
    key: KEY,
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth(auth, _session, done) {
      if (auth.username === 'alex' && auth.password === 's3cret') done(null, { user: 'alex' });
      else done(new Error('Invalid user or password'));
    },
    onData(stream, session, done) {
      void receive(stream, session)
        .then((one) => received.push(one))
        .finally(done);
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, received };
}

async function receive(stream: Readable, session: SMTPServerSession): Promise<Received> {
  const raw = await text(stream);
  const { mailFrom, rcptTo } = session.envelope;
  return {
    raw,
    mail: await simpleParser(raw),
    from: mailFrom === false ? '' : mailFrom.address,
    to: rcptTo.map((one) => one.address),
    secure: session.secure,
    user: session.user,
  };
}
