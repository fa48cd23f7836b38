import * as fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../src/address.ts';
import { encodeBody } from '../src/encoding.ts';
import { buildMessage, formatDate, type Mail } from '../src/mime.ts';
import { dotStuffed } from '../src/smtp-client.ts';
import { defaultSubject } from '../src/subject.ts';

const MAIL: Mail = {
  from: { name: '', address: 'a@example.org' },
  to: [{ name: '', address: 'b@example.org' }],
  cc: [],
  replyTo: [],
  subject: 's',
  text: 't',
  html: null,
  date: new Date(0),
  messageId: '<id@example.org>',
};
const line = fc
  .string({ unit: 'grapheme', maxLength: 300 })
  .map((text) => text.replaceAll(/[\p{C}\u2028\u2029]/gu, ''));

describe('a message', () => {
  it('can be read back, whatever its text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 5 }), async (lines) => {
        const text = lines.join('\n');
        const parsed = await simpleParser(buildMessage({ ...MAIL, text }));
        expect((parsed.text ?? '').trimEnd()).toBe(text.trimEnd());
      }),
      { numRuns: 50 },
    );
  });

  it('can be read back, whatever its subject and names', async () => {
    await fc.assert(
      fc.asyncProperty(line, async (text) => {
        const words = text.replaceAll(/\s+/g, ' ').trim();
        const parsed = await simpleParser(
          buildMessage({ ...MAIL, subject: words, from: { name: words, address: 'a@example.org' } }),
        );
        expect(parsed.subject ?? '').toBe(words);
        expect(parsed.from?.value[0]).toMatchObject({ address: 'a@example.org', name: words });
      }),
      { numRuns: 50 },
    );
  });

  it('has short lines of ASCII', () => {
    for (const text of [
      'plain',
      'ä'.repeat(5000),
      'x'.repeat(5000),
      `${'='.repeat(500)} `,
      '日本語'.repeat(999),
      '\ud800 lone',
    ]) {
      const { encoding, body } = encodeBody(text);
      expect(body).toMatch(/^[\t\r\n -~]*$/);
      for (const one of body.split('\r\n')) expect(one.length).toBeLessThanOrEqual(encoding === '7bit' ? 900 : 76);
    }
  });

  it('doubles dots at the beginning of a line', () => {
    expect(dotStuffed('.a\r\nb.\r\n..c')).toBe('..a\r\nb.\r\n...c\r\n.\r\n');
  });

  it('has a date as mail writes it', () => {
    expect(formatDate(new Date('2026-03-05T07:08:09.123Z'))).toBe('Thu, 5 Mar 2026 07:08:09 +0000');
  });
});

describe('an address', () => {
  it.each([
    ['alex@example.com', '', 'alex@example.com'],
    [' Alex Doe <alex@EXAMPLE.com> ', 'Alex Doe', 'alex@example.com'],
    ['"Doe, \\"Al\\" Alex" <alex@example.com>', 'Doe, "Al" Alex', 'alex@example.com'],
    ['"odd local"@example.com', '', '"odd local"@example.com'],
    ['a+tag.x@sub.example.com', '', 'a+tag.x@sub.example.com'],
    ['a@[127.0.0.1]', '', 'a@[127.0.0.1]'],
    ['jörg@bücher.example', '', 'jörg@xn--bcher-kva.example'],
  ])('%j is understood', (text, name, address) => {
    expect(parseAddress(text, 'to')).toEqual({ name, address });
  });

  it.each([
    ['Doe, Alex', '"Doe, Alex" <a@b.example>'],
    ['Zoë', '=?UTF-8?B?Wm/Dqw==?= <a@b.example>'],
    ['=?x', '"=?x" <a@b.example>'],
  ])('with the name %j is written so that it can be read', (name, header) => {
    expect(formatAddress({ name, address: 'a@b.example' })).toBe(header);
  });
});

describe('the subject of a mail without one', () => {
  it.each([
    ['Hello\nthere', null, 'Hello'],
    ['\n  \n  spaced   out ', null, 'spaced out'],
    ['', null, '(no subject)'],
    [null, '<html><head><title>News</title></head>', 'News'],
    [null, '<p>Tom &amp; Jerry</p><p>more', 'Tom & Jerry'],
  ])('of %j and %j is %j', (text, html, subject) => {
    expect(defaultSubject(text, html)).toBe(subject);
  });

  it('is short', () => {
    expect(defaultSubject('word '.repeat(100), null)).toMatch(/^(word )+word…$/);
    expect(defaultSubject('x'.repeat(500), null)).toHaveLength(71);
  });
});
