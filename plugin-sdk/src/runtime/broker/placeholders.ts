import { randomBytes } from 'node:crypto';
import { encodePathSegment, type JsonObject, type JsonValue, replaceSecrets } from '../../contract/index.ts';
import { BrokerError } from './errors.ts';

const PREFIX = 'gfs_';
const TOKEN = /gfs_[0-9a-f]{32}/g;
const PREFIX_BYTES = Buffer.from(PREFIX);

/**
 * Stands in for the secrets of a session: the connector holds tokens that mean nothing anywhere else, and each is replaced by its
 * secret when a request leaves for a granted host. Tokens are replaced in header values (in `Basic` credentials also within the
 * base64), in the path and query of the URL, and in the body; never in the host, in method or header names, nor in what is written
 * to a socket of `ctx.connect`: a protocol of its own needs `secrets: "value"`.
 */
export class Placeholders {
  readonly #secrets = new Map<string, string>();
  /** The credential as the connector sees it. */
  readonly credential: JsonValue;

  constructor(schema: JsonObject | null, values: JsonValue) {
    const tokens = new Map<string, string>();
    this.credential = replaceSecrets(schema, values, (value) => {
      const secret = String(value);
      const token = tokens.get(secret) ?? PREFIX + randomBytes(16).toString('hex');
      tokens.set(secret, token);
      this.#secrets.set(token, secret);
      return token;
    });
  }

  get secrets(): readonly string[] {
    return [...this.#secrets.values()];
  }

  /** Replaces tokens in a header value. `secret`: whether there was one. Throws when a secret cannot stand in a header. */
  inHeader(name: string, value: string): { readonly value: string; readonly secret: boolean } {
    const basic = /^Basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(value);
    if (basic?.[1] !== undefined) {
      const plain = Buffer.from(basic[1], 'base64').toString('utf8');
      const filled = this.#fill(plain, (secret) => secret);
      if (filled !== plain) return { value: `Basic ${Buffer.from(filled, 'utf8').toString('base64')}`, secret: true };
    }
    const filled = this.#fill(value, (secret) => secret);
    if (filled !== value && !/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(filled))
      throw new BrokerError(
        'CONNECTOR_ERROR',
        `the secret in the header "${name}" has characters that a header cannot have`,
      );
    return { value: filled, secret: filled !== value };
  }

  /** Replaces tokens in the path and query of a URL that was parsed before. */
  inPath(path: string): { readonly value: string; readonly secret: boolean } {
    const cut = path.indexOf('?');
    const [before, after] = cut < 0 ? [path, ''] : [path.slice(0, cut), path.slice(cut)];
    const value = this.#fill(before, encodePathSegment) + this.#fill(after, encodeURIComponent);
    return { value, secret: value !== path };
  }

  /** Replaces tokens in a body, escaped as its type asks. Bodies without a token are given back as they are. */
  inBody(body: Uint8Array, contentType: string): { readonly value: Uint8Array; readonly secret: boolean } {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (bytes.indexOf(PREFIX_BYTES) < 0) return { value: body, secret: false };
    const escape = escapeFor(contentType);
    // latin1 keeps every byte, whatever the body is; a secret goes in as the UTF-8 that it is.
    const text = bytes.toString('latin1');
    const filled = this.#fill(text, (secret) => Buffer.from(escape(secret), 'utf8').toString('latin1'));
    return filled === text ? { value: body, secret: false } : { value: Buffer.from(filled, 'latin1'), secret: true };
  }

  #fill(text: string, encode: (secret: string) => string): string {
    if (!text.includes(PREFIX)) return text;
    return text.replace(TOKEN, (token) => {
      const secret = this.#secrets.get(token);
      return secret === undefined ? token : encode(secret.toWellFormed());
    });
  }
}

function escapeFor(contentType: string): (secret: string) => string {
  const [type = ''] = contentType.toLowerCase().split(';');
  const essence = type.trim();
  if (essence === 'application/json' || essence.endsWith('+json'))
    return (secret) => JSON.stringify(secret).slice(1, -1);
  if (essence === 'application/x-www-form-urlencoded')
    return (secret) => new URLSearchParams([['', secret]]).toString().slice(1);
  if (essence === 'application/xml' || essence === 'text/xml' || essence.endsWith('+xml')) return escapeXml;
  return (secret) => secret;
}

const XML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escapeXml(secret: string): string {
  return secret.replaceAll(/[&<>"']/g, (char) => XML_ESCAPES[char] ?? char);
}
