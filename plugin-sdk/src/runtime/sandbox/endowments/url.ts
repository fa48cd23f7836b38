import type { UrlParts } from '../border.ts';
import { defineEndowment, nothingToDispose } from './endowment.ts';

/** Node's URL parser, as strings. */
export const url = defineEndowment({
  names: ['parseUrl', 'changeUrl'],
  make() {
    return {
      values: {
        parseUrl(text, base) {
          const parsed = base === null ? URL.parse(text) : URL.parse(text, base);
          return parsed === null ? null : partsOf(parsed);
        },
        changeUrl(href, part, value) {
          const changed = new URL(href);
          try {
            changed[part] = value;
          } catch {
            // Only `href` throws; the guest half has parsed it before and knows.
          }
          return partsOf(changed);
        },
      },
      dispose: nothingToDispose,
    };
  },
});

function partsOf(u: URL): UrlParts {
  return Object.freeze([
    u.href,
    u.protocol,
    u.username,
    u.password,
    u.host,
    u.hostname,
    u.port,
    u.pathname,
    u.search,
    u.hash,
    u.origin,
  ] as const);
}
