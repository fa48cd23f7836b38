import { ConnectorError } from '@goflow/plugin-sdk';
import { encodeWord, isPrintableAscii } from './encoding.ts';

/** A mailbox: `Alex Doe <alex@example.com>`. */
export interface Address {
  readonly name: string;
  /** `local@domain`; the domain in its ASCII form. */
  readonly address: string;
}

/** RFC 5321, 4.5.3.1: the longest path, without its brackets. */
const MAX_ADDRESS = 254;
const LOCAL = /^(?:[^\s()<>[\]:;@\\,."]+(?:\.[^\s()<>[\]:;@\\,."]+)*|"(?:[^"\\\r\n]|\\[^\r\n])*")$/u;

/** One or several mailboxes: a list, or a text with commas between them. Refuses what is no mailbox, and every control character. */
export function parseAddresses(value: string | readonly string[], field: string): Address[] {
  const texts = typeof value === 'string' ? splitList(value, field) : value.flatMap((text) => splitList(text, field));
  return texts.map((text) => parseAddress(text, field));
}

/** `alex@example.com`, `Alex <alex@example.com>` or `"Doe, Alex" <alex@example.com>`. */
export function parseAddress(text: string, field: string): Address {
  const trimmed = text.trim();
  refuseControls(trimmed, field);
  const bracketed = /^(.*?)\s*<([^<>]*)>$/su.exec(trimmed);
  const name = bracketed === null ? '' : unquote(bracketed[1] as string);
  return { name, address: checkMailbox(bracketed === null ? trimmed : (bracketed[2] as string).trim(), field) };
}

/** A header line break smuggled into an address or subject would be a header of the sender's choosing. */
export function refuseControls(text: string, field: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)) {
    throw invalid(field, 'it holds a line break or another control character');
  }
}

function checkMailbox(address: string, field: string): string {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, Math.max(at, 0));
  if (at < 1 || !LOCAL.test(local)) throw invalid(field, `${JSON.stringify(shorten(address))} is not a mail address`);
  const mailbox = `${local}@${checkDomain(address.slice(at + 1), field)}`;
  if (mailbox.length > MAX_ADDRESS)
    throw invalid(field, `${JSON.stringify(shorten(address))} is longer than ${MAX_ADDRESS} characters`);
  return mailbox;
}

function checkDomain(domain: string, field: string): string {
  if (/^\[[0-9a-f:.]+\]$/i.test(domain) || /^\[IPv6:[0-9a-f:.]+\]$/i.test(domain)) return domain;
  // The URL parser knows IDNA; it would also take a port, a path and numbers that mean an address.
  const host = /^[^\s/?#@:\\[\]%]+$/u.test(domain) ? URL.parse(`http://${domain}/`)?.hostname : undefined;
  if (host === undefined || host === '' || (/^[\d.]+$/.test(host) && host !== domain)) {
    throw invalid(field, `${JSON.stringify(shorten(domain))} is not a domain`);
  }
  return host;
}

/** Splits at commas outside of quotes and angle brackets. */
function splitList(text: string, field: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  let bracketed = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string;
    if (quoted && char === '\\') {
      part += char + (text[at + 1] ?? '');
      at += 1;
      continue;
    }
    if (char === '"') quoted = !quoted;
    else if (!quoted && (char === '<' || char === '>')) bracketed = char === '<';
    if (char === ',' && !quoted && !bracketed) {
      parts.push(part);
      part = '';
    } else part += char;
  }
  parts.push(part);
  const filled = parts.filter((one) => one.trim() !== '');
  if (filled.length === 0) throw invalid(field, 'it is empty');
  return filled;
}

function unquote(name: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/su.exec(name);
  return quoted === null ? name : (quoted[1] as string).replaceAll(/\\(.)/gsu, '$1');
}

/** The mailbox as a header holds it. */
export function formatAddress({ name, address }: Address): string {
  if (name === '') return address;
  if (!isPrintableAscii(name)) return `${encodeWord(name)} <${address}>`;
  const plain = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+$/.test(name) && !name.includes('=?');
  return `${plain ? name : `"${name.replaceAll(/["\\]/g, '\\$&')}"`} <${address}>`;
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

function invalid(field: string, why: string): ConnectorError {
  return new ConnectorError('ADDRESS_INVALID', `"${field}": ${why}`, { details: { field } });
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}
