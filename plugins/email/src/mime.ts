import { type Address, formatAddress } from './address.ts';
import { encodeBody, encodeWord, isPrintableAscii } from './encoding.ts';

export interface Mail {
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
  readonly date: Date;
  /** With angle brackets. */
  readonly messageId: string;
}

/** The mail as RFC 5322 text with CRLF line ends, ready for SMTP but for its dots. Blind copies are in the envelope alone. */
export function buildMessage(mail: Mail): string {
  const headers = [
    ['Date', formatDate(mail.date)],
    ['Message-ID', mail.messageId],
    ['From', formatAddress(mail.from)],
    ['To', addressList(mail.to)],
    ['Cc', addressList(mail.cc)],
    ['Reply-To', addressList(mail.replyTo)],
    [
      'Subject',
      isPrintableAscii(mail.subject) && !mail.subject.includes('=?') ? mail.subject : encodeWord(mail.subject),
    ],
    ['MIME-Version', '1.0'],
  ] as const;
  const head = headers.filter(([, value]) => value !== '').map(([name, value]) => fold(`${name}: ${value}`));
  return `${head.join('\r\n')}\r\n${content(mail)}`;
}

function content({ text, html, messageId }: Mail): string {
  if (text === null || html === null) return part(html === null ? 'plain' : 'html', text ?? html ?? '');
  // Not random: the same mail has the same text each time it is sent. "=_" cannot stand in quoted-printable or base64.
  const boundary = `=_${messageId.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 40)}`;
  const parts = [part('plain', text), part('html', html)].map((one) => `--${boundary}\r\n${one}`);
  return `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n\r\n${parts.join('\r\n')}\r\n--${boundary}--\r\n`;
}

function part(subtype: 'plain' | 'html', text: string): string {
  const { encoding, body } = encodeBody(text);
  return `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`;
}

function addressList(addresses: readonly Address[]): string {
  return addresses.map(formatAddress).join(', ');
}

/** Breaks a header line at spaces so that its lines have at most 78 characters, where that can be. */
export function fold(header: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of header.split(/(?<=[^ ])(?= )/)) {
    if (line !== '' && line.length + word.length > 78) {
      lines.push(line);
      line = '';
    }
    line += word;
  }
  lines.push(line);
  return lines.join('\r\n');
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 5322, 3.3. */
export function formatDate(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `${DAYS[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} ${time} +0000`;
}
