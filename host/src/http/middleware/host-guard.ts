import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { GoflowError } from '../../core/errors.ts';

/**
 * Open mode asks for no key, so a web page that the user happens to look at must not be able to use the API: neither directly (its `Origin` is
 * not loopback), nor by a name of its own that resolves to 127.0.0.1 (DNS rebinding: then `Host` is that name).
 */
export function guardLoopback(req: IncomingMessage): void {
  const { host, origin } = req.headers;
  if (!isLoopback(host)) {
    throw new GoflowError(
      'FOREIGN_ORIGIN',
      `this host runs without API keys and answers only to localhost, not to the Host ${quote(host)}; set GOFLOW_ADMIN_KEY to open it to others`,
    );
  }
  if (origin !== undefined && !isLoopbackOrigin(origin)) {
    throw new GoflowError(
      'FOREIGN_ORIGIN',
      `this host runs without API keys and refuses requests from pages of the origin ${quote(origin)}`,
    );
  }
}

function isLoopbackOrigin(origin: string): boolean {
  if (origin.startsWith('http://')) return isLoopback(origin.slice('http://'.length));
  if (origin.startsWith('https://')) return isLoopback(origin.slice('https://'.length));
  return false;
}

/** `localhost`, `[::1]` or an address in 127.0.0.0/8, with or without a port. */
function isLoopback(authority: string | undefined): boolean {
  if (authority === undefined) return false;
  const colon = authority.endsWith(']') ? -1 : authority.lastIndexOf(':');
  if (colon !== -1 && !isPort(authority, colon + 1)) return false;
  const name = (colon === -1 ? authority : authority.slice(0, colon)).toLowerCase();
  return name === 'localhost' || name === '[::1]' || (name.startsWith('127.') && isIPv4(name));
}

function isPort(text: string, from: number): boolean {
  if (from === text.length || text.length - from > 5) return false;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

function quote(value: string | undefined): string {
  return value === undefined ? '(none)' : JSON.stringify(value.slice(0, 100));
}
