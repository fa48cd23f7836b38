import { ConnectorError, type ConnectorContext, type Infer } from '@goflow/plugin-sdk';
import { type Address, domainOf, parseAddress, parseAddresses, refuseControls } from './address.ts';
import { type Mail, buildMessage } from './mime.ts';
import type { input, output } from './schema.ts';
import { type EmailCredential, openSession } from './session.ts';
import { defaultSubject } from './subject.ts';

/** Sends one mail; resolves when the mail server has taken it for at least one recipient. */
export async function sendEmail(
  ctx: ConnectorContext<EmailCredential>,
  mail: Infer<typeof input>,
): Promise<Infer<typeof output>> {
  const composed = await compose(ctx, mail);
  const bcc = mail.bcc === undefined ? [] : parseAddresses(mail.bcc, 'bcc');
  const recipients = [...new Set([...composed.to, ...composed.cc, ...bcc].map((one) => one.address))];
  const written = [composed.from, ...composed.to, ...composed.cc, ...composed.replyTo, ...bcc];
  const needsUtf8 = written.some(({ address }) => !/^[\x21-\x7e]+$/.test(address));

  const client = await openSession(ctx);
  try {
    const { accepted, rejected } = await client.send(
      { from: composed.from.address, to: recipients, needsUtf8 },
      buildMessage(composed),
    );
    for (const { address, reply } of rejected) ctx.log.warn('the mail server refused a recipient', { address, reply });
    ctx.log.info('mail sent', { message_id: composed.messageId, accepted: accepted.length, rejected: rejected.length });
    await client.quit();
    return {
      message_id: composed.messageId,
      accepted: [...accepted],
      rejected: rejected.map((one) => one.address),
      message: composed.text ?? composed.html ?? '',
    };
  } finally {
    await client.close();
  }
}

async function compose(ctx: ConnectorContext<EmailCredential>, mail: Infer<typeof input>): Promise<Mail> {
  const from = senderOf(ctx.credential, mail.from);
  const text = mail.message ?? null;
  const html = mail.html ?? null;
  const subject = mail.subject ?? defaultSubject(text, html);
  refuseControls(subject, 'subject');
  return {
    from,
    to: parseAddresses(mail.to ?? defaultRecipient(ctx.credential), 'to'),
    cc: mail.cc === undefined ? [] : parseAddresses(mail.cc, 'cc'),
    replyTo: mail.reply_to === undefined ? [] : parseAddresses(mail.reply_to, 'reply_to'),
    subject,
    text,
    html,
    date: new Date(),
    messageId: `<${await idOf(ctx.idempotencyKey)}@${domainOf(from.address)}>`,
  };
}

function senderOf(credential: EmailCredential, from: string | undefined): Address {
  if (from !== undefined) return parseAddress(from, 'from');
  if (credential.from !== undefined && credential.from !== '') return parseAddress(credential.from, 'credential.from');
  if (credential.user?.includes('@') === true) return parseAddress(credential.user, 'credential.user');
  throw new ConnectorError('FROM_MISSING', 'there is no sender: give "from", or store "from" in the credential');
}

function defaultRecipient(credential: EmailCredential): string {
  if (credential.default_to !== undefined && credential.default_to !== '') return credential.default_to;
  throw new ConnectorError('TO_MISSING', 'there is no recipient: give "to", or store "default_to" in the credential');
}

/** The same for each attempt of a step, so that a mail which was sent twice can be told by its Message-ID. */
async function idOf(idempotencyKey: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(idempotencyKey)));
  return [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
