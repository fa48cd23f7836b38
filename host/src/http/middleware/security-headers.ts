/**
 * Headers of every answer: nothing may guess its type, frame it, store it, or learn where it came from. There is no CORS header: pages of other
 * origins cannot read answers. Flat list of names and values.
 */
export const API_HEADERS: readonly string[] = [
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'no-referrer',
  'Cache-Control',
  'no-store',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
];

/** The policy of a page that holds its only script and style itself; `connect-src 'self'` lets it ask this host's API. */
export function pagePolicy(scriptHash: string, styleHash: string): string {
  return [
    "default-src 'none'",
    `script-src '${scriptHash}'`,
    `style-src '${styleHash}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
