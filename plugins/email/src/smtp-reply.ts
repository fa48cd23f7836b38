import { ConnectorError } from '@goflow/plugin-sdk';
import type { LineReader } from './line-reader.ts';

/** An answer of the server: a code of three digits and its lines of text. */
export interface SmtpReply {
  readonly code: number;
  readonly lines: readonly string[];
}

const MAX_LINES = 200;

/** Reads one answer, all its lines. */
export async function readReply(reader: LineReader): Promise<SmtpReply> {
  const lines: string[] = [];
  for (;;) {
    const line = await reader.line();
    if (line === null)
      throw new ConnectorError('NETWORK_ERROR', 'the mail server closed the connection', { retryable: true });
    const match = /^([2-5]\d\d)(?:([ -])(.*))?$/s.exec(line);
    if (match === null || lines.length >= MAX_LINES) {
      throw new ConnectorError(
        'SMTP_PROTOCOL',
        `this is not how a mail server answers: ${JSON.stringify(line.slice(0, 100))}`,
      );
    }
    lines.push(match[3] ?? '');
    if (match[2] !== '-') return { code: Number(match[1]), lines };
  }
}

/** What the server said, on one line. */
export function textOf(reply: SmtpReply): string {
  const text = [reply.code, ...reply.lines].join(' ');
  return text.length <= 500 ? text : `${text.slice(0, 500)}…`;
}

/** A refusal of the server. 4xx says "later", 5xx "never". */
export function refusal(code: string, what: string, reply: SmtpReply): ConnectorError {
  return new ConnectorError(code, `${what}: ${textOf(reply)}`, {
    retryable: reply.code >= 400 && reply.code < 500,
    details: { smtp_code: reply.code, smtp_reply: textOf(reply) },
  });
}
