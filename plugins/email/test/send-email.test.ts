import type { JsonObject } from '@goflow/plugin-sdk/contract';
import { type ActionOutcome, type OpenConnector, openConnector } from '@goflow/plugin-sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CERT, mailServer } from './mail-server.ts';

let connector: OpenConnector;
beforeAll(async () => {
  connector = await openConnector({ dir: new URL('..', import.meta.url), allowPrivate: ['127.0.0.0/8'], ca: [CERT] });
});
afterAll(() => connector.close());

function send(port: number, input: JsonObject, credential: JsonObject = {}): Promise<ActionOutcome> {
  return connector.run('send_email', input, {
    credential: { host: '127.0.0.1', port, from: 'GoFlow <hello@example.org>', ...credential },
  });
}

describe('send_email', () => {
  it('sends the welcome mail', async () => {
    const server = await mailServer();
    const outcome = await send(server.port, {
      to: 'alex@example.com',
      message: 'Welcome Alex! Your pro plan is ready.',
    });
    expect(outcome).toMatchObject({
      status: 'succeeded',
      output: { accepted: ['alex@example.com'], rejected: [], message: 'Welcome Alex! Your pro plan is ready.' },
    });
    const [got] = server.received;
    expect(got).toMatchObject({ from: 'hello@example.org', to: ['alex@example.com'], secure: true });
    expect(got?.mail.text?.trim()).toBe('Welcome Alex! Your pro plan is ready.');
    expect(got?.mail.subject).toBe('Welcome Alex! Your pro plan is ready.');
    expect(got?.mail.from?.text).toBe('"GoFlow" <hello@example.org>');
    expect(got?.mail.messageId).toBe((outcome as unknown as { output: { message_id: string } }).output.message_id);
    expect(Math.abs((got?.mail.date?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(got?.raw).toContain('Welcome Alex! Your pro plan is ready.');
  });

  it('sends text and html in any language, with names, copies and dots', async () => {
    const server = await mailServer();
    const message = `Grüße aus Köln – ${'€ '.repeat(100)}\n.\n..dots\n.end\nlast line  `;
    const outcome = await send(server.port, {
      to: ['"Doe, Alex" <alex@example.com>', 'Zoë <zoe@münchen.example>'],
      cc: 'a@example.com, b@example.com',
      bcc: 'hidden@example.com',
      reply_to: 'Support <help@example.org>',
      subject: `Äpfel & Birnen${' lang'.repeat(40)}`,
      message,
      html: '<p>Grüße <b>日本語</b></p>',
    });
    expect(outcome.status).toBe('succeeded');
    const [got] = server.received;
    expect(got?.to).toEqual([
      'alex@example.com',
      'zoe@münchen.example',
      'a@example.com',
      'b@example.com',
      'hidden@example.com',
    ]);
    expect(got?.mail.text?.trimEnd()).toBe(message.trimEnd());
    expect(got?.mail.html).toContain('<p>Grüße <b>日本語</b></p>');
    expect(got?.mail.subject).toBe(`Äpfel & Birnen${' lang'.repeat(40)}`);
    const to = got?.mail.to;
    expect((Array.isArray(to) ? to[0] : to)?.value).toMatchObject([{ name: 'Doe, Alex' }, { name: 'Zoë' }]);
    expect(got?.mail.replyTo?.text).toContain('help@example.org');
    // The server shows domains decoded; on the wire they are ASCII.
    expect(got?.raw).toContain('<zoe@xn--mnchen-3ya.example>');
    expect(got?.raw).not.toContain('hidden@example.com');
    for (const line of got?.raw.split('\r\n') ?? []) expect(line.length).toBeLessThanOrEqual(998);
    expect(got?.raw).toMatch(/^[\t\r\n -~]*$/);
  });

  it('uses what the credential says where the input says nothing', async () => {
    const server = await mailServer();
    await send(server.port, { message: 'hi' }, { default_to: 'inbox@example.org' });
    expect(server.received[0]?.to).toEqual(['inbox@example.org']);
    expect(await send(server.port, { message: 'hi' })).toMatchObject({ error: { code: 'TO_MISSING' } });
    expect(await send(server.port, { to: 'a@example.com', message: 'hi' }, { from: '' })).toMatchObject({
      error: { code: 'FROM_MISSING' },
    });
  });

  it.each([
    ['tls', { secure: true }, 'PLAIN'],
    ['starttls', {}, 'PLAIN'],
    ['starttls', {}, 'LOGIN'],
    ['none', { disabledCommands: ['STARTTLS'], allowInsecureAuth: true }, 'LOGIN'],
  ])('signs in over %s (%o, %s)', async (secure, options, method) => {
    const server = await mailServer({ ...options, authOptional: false, authMethods: [method] });
    const outcome = await send(
      server.port,
      { to: 'a@example.com', message: 'hi' },
      { secure, user: 'alex', password: 's3cret' },
    );
    expect(outcome).toMatchObject({ status: 'succeeded' });
    expect(server.received[0]).toMatchObject({ user: 'alex', secure: secure !== 'none' });
  });

  it('says so when the password is wrong, without the password', async () => {
    const server = await mailServer();
    const outcome = await send(
      server.port,
      { to: 'a@example.com', message: 'hi' },
      { user: 'alex', password: 'wr0ng-pass' },
    );
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'SMTP_AUTH_FAILED', retryable: false } });
    expect(JSON.stringify(outcome)).not.toContain('wr0ng-pass');
    expect(JSON.stringify(outcome)).not.toContain(btoa('\0alex\0wr0ng-pass'));
  });

  it('never sends a password without TLS unless it is told to', async () => {
    const server = await mailServer({ disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
    const credential = { user: 'alex', password: 's3cret' };
    expect(await send(server.port, { to: 'a@example.com', message: 'hi' }, credential)).toMatchObject({
      error: { code: 'SMTP_TLS_FAILED' },
    });
    expect(
      await send(server.port, { to: 'a@example.com', message: 'hi' }, { ...credential, secure: 'starttls' }),
    ).toMatchObject({ error: { code: 'SMTP_TLS_FAILED' } });
    expect(await send(server.port, { to: 'a@example.com', message: 'hi' })).toMatchObject({ status: 'succeeded' });
  });

  it('does not trust a certificate for another name', async () => {
    const server = await mailServer();
    const outcome = await send(
      server.port,
      { to: 'a@example.com', message: 'hi' },
      { host: '127.0.0.2', secure: 'starttls' },
    );
    expect(outcome.status).toBe('failed');
    expect(server.received).toEqual([]);
  });

  it('tells who was accepted and who was refused', async () => {
    const server = await mailServer({
      onRcptTo(address, _session, done) {
        const refused = Object.assign(new Error('No such user'), {
          responseCode: address.address.startsWith('later') ? 451 : 550,
        });
        done(/^(no|later)/.test(address.address) ? refused : null);
      },
    });
    const outcome = await send(server.port, { to: 'yes@example.com, no@example.com', message: 'hi' });
    expect(outcome).toMatchObject({
      status: 'succeeded',
      output: { accepted: ['yes@example.com'], rejected: ['no@example.com'] },
    });
    expect(server.received[0]?.to).toEqual(['yes@example.com']);
    expect(await send(server.port, { to: 'no@example.com', message: 'hi' })).toMatchObject({
      error: { code: 'SMTP_REJECTED', retryable: false },
    });
    expect(await send(server.port, { to: 'later@example.com', message: 'hi' })).toMatchObject({
      error: { code: 'SMTP_REJECTED', retryable: true },
    });
  });

  it('does not send what the server finds too large', async () => {
    const server = await mailServer({ size: 1000 });
    expect(await send(server.port, { to: 'a@example.com', message: 'x'.repeat(2000) })).toMatchObject({
      error: { code: 'SMTP_TOO_LARGE' },
    });
  });

  it.each([
    ['subject', 'Hi\r\nBcc: victim@example.com'],
    ['to', 'a@example.com\r\nRCPT TO:<victim@example.com>'],
    ['to', '"a\r\nb" <a@example.com>'],
    ['from', 'x <a@example.com>\nDATA'],
    ['reply_to', 'not an address'],
    ['to', 'a@exa mple.com'],
    ['to', 'a@@example.com'],
    ['to', 'a@example.com>'],
    ['to', 'a@example.com/x'],
    ['cc', ' , '],
  ])('refuses %s %j', async (field, value) => {
    const server = await mailServer();
    const outcome = await send(server.port, { to: 'a@example.com', message: 'hi', [field]: value });
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ADDRESS_INVALID', retryable: false } });
    expect(server.received).toEqual([]);
  });

  it('is retried when the server cannot be reached', async () => {
    const outcome = await send(1, { to: 'a@example.com', message: 'hi' });
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'NETWORK_ERROR', retryable: true } });
  });

  it('ends with its deadline when the server says nothing', async () => {
    const server = await mailServer({ onConnect: () => undefined });
    const outcome = await connector.run(
      'send_email',
      { to: 'a@example.com', message: 'hi' },
      { credential: { host: '127.0.0.1', port: server.port, from: 'a@example.org' }, timeoutMs: 300 },
    );
    expect(outcome.status).toBe('timed_out');
  });

  it('needs a text or html', async () => {
    expect(await send(1, { to: 'a@example.com' })).toMatchObject({ error: { code: 'INPUT_INVALID' } });
  });
});
