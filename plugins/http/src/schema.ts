/** What `http_request` takes, needs and gives. */

const scalar = { type: ['string', 'number', 'boolean', 'null'] } as const;

export const input = {
  type: 'object',
  required: ['url'],
  properties: {
    method: { type: 'string', pattern: '^[A-Za-z]{1,20}$', description: 'Left out: POST with a body, else GET.' },
    url: {
      type: 'string',
      minLength: 1,
      maxLength: 20_000,
      description: "A whole URL, or a path of the credential's host: /v1/orders",
    },
    headers: { type: 'object', additionalProperties: { type: 'string', maxLength: 20_000 }, maxProperties: 100 },
    query: {
      type: 'object',
      additionalProperties: { anyOf: [scalar, { type: 'array', items: scalar, maxItems: 1000 }] },
      maxProperties: 1000,
      description: "Added to the URL's own; null is left out, an array repeats the name.",
    },
    json: { description: 'Any JSON as the body.' },
    text: { type: 'string', description: 'A text as the body.' },
    base64: { type: 'string', description: 'Bytes as the body, in base64.' },
  },
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  required: ['status', 'headers', 'body'],
  properties: {
    status: { type: 'integer' },
    headers: {
      type: 'object',
      additionalProperties: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      description: 'Names in lower case; set-cookie is an array.',
    },
    body: {
      description: 'JSON as its value, text as a string, anything else as { "base64": "…" }; null when it is empty.',
    },
  },
  additionalProperties: false,
} as const;

export const credential = {
  type: 'object',
  required: ['host'],
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      maxLength: 253,
      description: 'The host that may be reached: https on 443, or with port also http.',
    },
    port: { type: 'integer', minimum: 1, maximum: 65_535, description: 'Another port than 443.' },
    bearer_token: {
      type: 'string',
      maxLength: 10_000,
      writeOnly: true,
      description: 'Sent as Authorization: Bearer …',
    },
    username: { type: 'string', maxLength: 1000, description: 'With password: sent as Authorization: Basic …' },
    password: { type: 'string', maxLength: 10_000, writeOnly: true },
    header_name: {
      type: 'string',
      pattern: '^[A-Za-z0-9-]{1,100}$',
      description: 'A header for header_value, such as X-Api-Key.',
    },
    header_value: { type: 'string', maxLength: 10_000, writeOnly: true },
  },
  additionalProperties: false,
} as const;
