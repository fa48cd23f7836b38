/** What `send_email` takes, needs and gives. */

const mailboxes = {
  anyOf: [
    { type: 'string', minLength: 1, maxLength: 20_000 },
    { type: 'array', items: { type: 'string', minLength: 1, maxLength: 1000 }, minItems: 1, maxItems: 100 },
  ],
  description: 'A mail address, with or without a name, or several: as a list, or with commas between them.',
} as const;

export const input = {
  type: 'object',
  anyOf: [{ required: ['message'] }, { required: ['html'] }],
  properties: {
    to: { ...mailboxes, description: "Whom it goes to. Left out: the credential's default_to." },
    message: {
      type: 'string',
      maxLength: 5_000_000,
      description: 'The text. With html as well, for programs that do not show html.',
    },
    html: { type: 'string', maxLength: 5_000_000, description: 'The html version.' },
    subject: { type: 'string', maxLength: 998, description: 'Left out: the first line of the message.' },
    from: {
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      description: "The sender. Left out: the credential's from.",
    },
    cc: mailboxes,
    bcc: mailboxes,
    reply_to: mailboxes,
  },
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  required: ['message_id', 'accepted', 'rejected', 'message'],
  properties: {
    message_id: { type: 'string' },
    accepted: {
      type: 'array',
      items: { type: 'string' },
      description: 'Addresses that the mail server took the message for.',
    },
    rejected: { type: 'array', items: { type: 'string' }, description: 'Addresses that it refused.' },
    message: { type: 'string', description: 'The text that was sent; the html when there is no text.' },
  },
  additionalProperties: false,
} as const;

export const credential = {
  type: 'object',
  required: ['host', 'port'],
  properties: {
    host: { type: 'string', minLength: 1, maxLength: 253, description: 'Name or address of the mail server.' },
    port: { type: 'integer', minimum: 1, maximum: 65_535, description: 'Usually 587, or 465 for TLS from the start.' },
    secure: {
      enum: ['tls', 'starttls', 'none'],
      description:
        'Left out: TLS on port 465, else STARTTLS where the server offers it; a password is never sent in the clear.',
    },
    user: { type: 'string', maxLength: 500 },
    password: { type: 'string', maxLength: 5000, writeOnly: true },
    from: { type: 'string', maxLength: 1000, description: 'The sender where the workflow names none.' },
    default_to: { type: 'string', maxLength: 1000, description: 'The recipient where the workflow names none.' },
  },
  additionalProperties: false,
} as const;
