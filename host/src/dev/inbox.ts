import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

/** A mail that the local inbox received, as `GET /dev/inbox` shows it. */
export interface ReceivedMail {
  readonly received_at: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string | null;
  readonly message_id: string | null;
}

export interface Inbox {
  readonly port: number;
  /** Newest first. */
  mails(): readonly ReceivedMail[];
  close(): Promise<void>;
}

/** Mails kept; the oldest go first. */
const KEPT = 200;
const MAX_MAIL_BYTES = 5 * 1024 * 1024;

/** An SMTP server on loopback that keeps mails in memory instead of delivering them: for `goflow dev`. `port` 0, or one in use: any free port. */
export async function openInbox(port: number): Promise<Inbox> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    size: MAX_MAIL_BYTES,
    disableReverseLookup: true,
    onAuth: (_auth, _session, done) => done(null, { user: 'anybody' }),
    onData(stream, session, done) {
      simpleParser(stream).then(
        (mail) => {
          const { mailFrom, rcptTo } = session.envelope;
          mails.unshift({
            received_at: new Date().toISOString(),
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map((recipient) => recipient.address),
            subject: mail.subject ?? '',
            text: (mail.text ?? '').trimEnd(),
            html: typeof mail.html === 'string' ? mail.html : null,
            message_id: mail.messageId ?? null,
          });
          mails.length = Math.min(mails.length, KEPT);
          done();
        },
        (error: unknown) => done(error as Error),
      );
    },
  });
  const bound = await listen(server, port);
  return {
    port: bound,
    mails: () => mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function listen(server: SMTPServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      if (port !== 0 && error.code === 'EADDRINUSE') listen(server, 0).then(resolve, reject);
      else reject(error);
    };
    server.server.once('error', onError);
    server.listen(port, '127.0.0.1', () => {
      server.server.removeListener('error', onError);
      // A client that breaks off must not end the host.
      server.on('error', () => undefined);
      const address = server.server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
