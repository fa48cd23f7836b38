import { ConnectorError, type ConnectorSocket } from '@goflow/plugin-sdk';
import { base64Text } from './encoding.ts';
import { LineReader } from './line-reader.ts';
import { type SmtpReply, readReply, refusal, textOf } from './smtp-reply.ts';

/** How the client calls itself: it runs in a sandbox that has no name. */
const CLIENT_NAME = '[127.0.0.1]';

export interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
  /** Whether the message or an address has characters beyond ASCII that no encoding hides. */
  readonly needsUtf8: boolean;
}

export interface Delivery {
  readonly accepted: readonly string[];
  readonly rejected: ReadonlyArray<{ readonly address: string; readonly reply: string }>;
}

/** The client's side of one SMTP connection (RFC 5321). Methods are called one after the other. */
export class SmtpClient {
  #socket: ConnectorSocket;
  #reader: LineReader;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #extensions = new Map<string, string>();
  readonly #encoder = new TextEncoder();

  constructor(socket: ConnectorSocket) {
    this.#socket = socket;
    this.#reader = new LineReader(socket.readable);
    this.#writer = socket.writable.getWriter();
  }

  /** Greeting and EHLO. */
  async open(): Promise<void> {
    const greeting = await readReply(this.#reader);
    if (greeting.code !== 220) throw refusal('SMTP_REJECTED', 'the mail server does not take mail', greeting);
    await this.#hello();
  }

  /** Whether the server offered an extension of SMTP. */
  offers(extension: string): boolean {
    return this.#extensions.has(extension);
  }

  /** Continues over TLS; throws what the handshake throws. */
  async startTls(serverName: string): Promise<void> {
    const reply = await this.#command('STARTTLS');
    if (reply.code !== 220) throw refusal('SMTP_TLS_FAILED', 'the mail server refuses STARTTLS', reply);
    if (this.#reader.hasMore) throw new ConnectorError('SMTP_PROTOCOL', 'the mail server sent data before TLS began');
    this.#reader.release();
    this.#writer.releaseLock();
    this.#socket = this.#socket.startTls({ expectedServerHostname: serverName });
    await this.#socket.opened;
    this.#reader = new LineReader(this.#socket.readable);
    this.#writer = this.#socket.writable.getWriter();
    await this.#hello();
  }

  /** AUTH with PLAIN, else LOGIN. */
  async authenticate(user: string, password: string): Promise<void> {
    const mechanisms = (this.#extensions.get('AUTH') ?? '').toUpperCase().split(/[ =]+/);
    let reply: SmtpReply;
    if (mechanisms.includes('PLAIN')) reply = await this.#command(`AUTH PLAIN ${base64Text(`\0${user}\0${password}`)}`);
    else if (mechanisms.includes('LOGIN')) reply = await this.#login(user, password);
    else {
      const offered = mechanisms.filter((one) => one !== '').join(', ') || 'none';
      throw new ConnectorError(
        'SMTP_AUTH_FAILED',
        `the mail server takes no password (PLAIN or LOGIN); it offers: ${offered}`,
      );
    }
    if (reply.code !== 235)
      throw refusal('SMTP_AUTH_FAILED', 'the mail server does not accept user and password', reply);
  }

  /** Sends one message. Throws when no recipient was accepted. */
  async send(envelope: Envelope, message: string): Promise<Delivery> {
    const body = this.#encoder.encode(dotStuffed(message));
    this.#checkSize(body.length);
    if (envelope.needsUtf8 && !this.offers('SMTPUTF8')) {
      throw new ConnectorError(
        'SMTP_REJECTED',
        'an address has letters beyond ASCII before its "@", which this mail server does not take',
      );
    }
    const options = `${this.offers('SIZE') ? ` SIZE=${body.length}` : ''}${envelope.needsUtf8 ? ' SMTPUTF8 BODY=8BITMIME' : ''}`;
    const recipients = envelope.to.map((address) => `RCPT TO:<${address}>`);
    const [sender, ...answers] = await this.#commands([`MAIL FROM:<${envelope.from}>${options}`, ...recipients]);
    if (sender === undefined || sender.code >= 300) {
      throw refusal('SMTP_REJECTED', `the mail server does not take mail from ${envelope.from}`, sender as SmtpReply);
    }
    const accepted = envelope.to.filter((_, index) => isGood(answers[index]));
    const rejected = envelope.to.flatMap((address, index) => {
      const reply = answers[index];
      return reply === undefined || isGood(reply) ? [] : [{ address, reply }];
    });
    if (accepted.length === 0) throw allRejected(rejected);
    await this.#data(body);
    return { accepted, rejected: rejected.map(({ address, reply }) => ({ address, reply: textOf(reply) })) };
  }

  /** Says goodbye; never throws, as the mail is on its way already. */
  async quit(): Promise<void> {
    await this.#command('QUIT').catch(() => undefined);
    await this.close();
  }

  async close(): Promise<void> {
    await this.#socket.close().catch(() => undefined);
  }

  async #hello(): Promise<void> {
    let reply = await this.#command(`EHLO ${CLIENT_NAME}`);
    if (reply.code >= 500) reply = await this.#command(`HELO ${CLIENT_NAME}`);
    if (reply.code !== 250) throw refusal('SMTP_REJECTED', 'the mail server does not talk to us', reply);
    const lines = reply.lines.slice(1).map((line) => /^(\S+?)(?:[ =](.*))?$/s.exec(line.trim()));
    this.#extensions = new Map(
      lines.flatMap((line) => (line === null ? [] : [[(line[1] as string).toUpperCase(), line[2] ?? '']])),
    );
  }

  async #login(user: string, password: string): Promise<SmtpReply> {
    let reply = await this.#command('AUTH LOGIN');
    for (const answer of [user, password]) {
      if (reply.code !== 334) return reply;
      reply = await this.#command(base64Text(answer));
    }
    return reply;
  }

  async #data(body: Uint8Array): Promise<void> {
    const go = await this.#command('DATA');
    if (go.code !== 354) throw refusal('SMTP_REJECTED', 'the mail server does not take the message', go);
    await this.#writer.write(body);
    const done = await readReply(this.#reader);
    if (done.code !== 250) throw refusal('SMTP_REJECTED', 'the mail server does not take the message', done);
  }

  #checkSize(bytes: number): void {
    const limit = Number(this.#extensions.get('SIZE') ?? 0);
    if (limit > 0 && bytes > limit) {
      throw new ConnectorError('SMTP_TOO_LARGE', `the message has ${bytes} bytes, the mail server takes ${limit}`);
    }
  }

  async #command(line: string): Promise<SmtpReply> {
    const [reply] = await this.#commands([line]);
    return reply as SmtpReply;
  }

  /** All at once where the server can take that (RFC 2920), else one after the other. */
  async #commands(lines: readonly string[]): Promise<SmtpReply[]> {
    const batches = this.offers('PIPELINING') ? [lines] : lines.map((line) => [line]);
    const replies: SmtpReply[] = [];
    for (const batch of batches) {
      await this.#writer.write(this.#encoder.encode(batch.map((line) => `${line}\r\n`).join('')));
      for (const _ of batch) replies.push(await readReply(this.#reader));
      // Without a sender there is no use in naming recipients.
      if ((replies[0] as SmtpReply).code >= 300) break;
    }
    return replies;
  }
}

function isGood(reply: SmtpReply | undefined): boolean {
  return reply !== undefined && reply.code >= 200 && reply.code < 300;
}

function allRejected(rejected: ReadonlyArray<{ readonly address: string; readonly reply: SmtpReply }>): ConnectorError {
  const reasons = rejected.map(({ address, reply }) => `${address}: ${textOf(reply)}`);
  return new ConnectorError(
    'SMTP_REJECTED',
    `the mail server takes none of the recipients: ${reasons.slice(0, 5).join('; ')}`,
    {
      // Worth another try only where the server said "later" to somebody.
      retryable: rejected.some(({ reply }) => reply.code < 500),
      details: { rejected: reasons.slice(0, 100) },
    },
  );
}

/** A line of the message that begins with a dot gets another one; a dot alone ends it (RFC 5321, 4.5.2). */
export function dotStuffed(message: string): string {
  const stuffed = message.replaceAll(/(?<=^|\r\n)\./g, '..');
  return `${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`;
}
