import { describe, expect, test } from 'vitest';
import {
  difference,
  isSubset,
  parsePermissionEntry,
  permissionFault,
  resolveTemplates,
} from '../../src/contract/index.ts';

describe('a permission entry', () => {
  test.each([
    ['net', 'api.example.com', 'api.example.com'],
    ['net', 'API.Example.COM.', 'api.example.com'],
    ['net', 'api.example.com:8443', 'api.example.com:8443'],
    ['net', 'api.example.com.:0443', 'api.example.com:443'],
    ['net', '*.example.com', '*.example.com'],
    ['net', '*.Example.com:443', '*.example.com:443'],
    ['net', 'münchen.example', 'xn--mnchen-3ya.example'],
    ['net', 'localhost:3000', 'localhost:3000'],
    ['net', '127.1:80', '127.0.0.1:80'],
    ['net', '[0:0::1]:443', '[::1]:443'],
    ['net', '[::1]', '[::1]'],
    ['net', '{{credential.host}}', '{{credential.host}}'],
    ['net', '{{credential.host}}:{{credential.port}}', '{{credential.host}}:{{credential.port}}'],
    ['net', '{{credential.shop}}.MyShop.com', '{{credential.shop}}.myshop.com'],
    ['connect', 'smtp.example.com:587', 'smtp.example.com:587'],
    ['connect', '{{credential.host}}:587', '{{credential.host}}:587'],
    ['connect', 'smtp.example.com:{{credential.port}}', 'smtp.example.com:{{credential.port}}'],
  ] as const)('%s "%s" means "%s"', (kind, text, canonical) => {
    expect(parsePermissionEntry(kind, text).text).toBe(canonical);
  });

  test.each([
    ['net', '*', 'every host'],
    ['net', '*:443', 'every host'],
    ['connect', '*:25', 'every host'],
    ['net', '*.com', 'top-level'],
    ['net', '*.127.0.0.1', 'wildcard in front of an address'],
    ['net', 'a.*.com', 'leading'],
    ['net', '*.*.example.com', 'leading'],
    ['net', '*example.com', 'leading'],
    ['net', 'https://api.example.com', 'scheme'],
    ['net', 'api.example.com/v1', 'path'],
    ['net', 'api.example.com?x', 'path'],
    ['net', 'api.example.com#x', 'path'],
    ['net', 'api.example.com\\x', 'path'],
    ['net', 'user@api.example.com', 'user name'],
    ['net', 'api.example.com:', 'port'],
    ['net', 'api.example.com:0', 'port'],
    ['net', 'api.example.com:65536', 'port'],
    ['net', 'api.example.com:https', 'port'],
    ['net', '::1', 'brackets'],
    ['net', '[::1]x', 'no port'],
    ['net', '[fe80::1%25eth0]:80', 'not a host name'],
    ['net', '', '1 to 512'],
    ['net', 'x'.repeat(600), '1 to 512'],
    ['net', 'a..b', 'not a host name'],
    ['net', '-a.example.com', 'not a host name'],
    ['net', 'a b.example.com', 'not a host name'],
    ['net', 'a%2eexample.com', 'not a host name'],
    ['net', 'a,b.example.com', 'not a host name'],
    ['net', '{{params.host}}', 'braces'],
    ['net', '{{credential.host', 'braces'],
    ['net', '{{credential.a.b}}', 'braces'],
    ['net', 'x{{credential.host}}', 'braces'],
    ['net', '*.{{credential.host}}', 'braces'],
    ['net', '{{credential.host}}.com', 'two labels'],
    ['net', '{{credential.host}}x.example.com', 'braces'],
    ['connect', 'smtp.example.com', 'must name a port'],
    ['connect', '{{credential.host}}', 'must name a port'],
  ] as const)('%s "%s" is refused: %s', (kind, text, why) => {
    expect(permissionFault(kind, text)).toContain(why);
  });
});

describe('a template', () => {
  const resolve = (text: string, credential: Record<string, string | number>, kind: 'net' | 'connect' = 'connect') =>
    resolveTemplates(parsePermissionEntry(kind, text), credential)?.text ?? null;

  test('takes host and port from the stored credential', () => {
    expect(resolve('{{credential.host}}:{{credential.port}}', { host: 'SMTP.example.com', port: 587 })).toBe(
      'smtp.example.com:587',
    );
    expect(resolve('{{credential.host}}:{{credential.port}}', { host: '::1', port: '25' })).toBe('[::1]:25');
    expect(resolve('{{credential.shop}}.myshop.com', { shop: 'alex' }, 'net')).toBe('alex.myshop.com');
    expect(resolve('smtp.example.com:{{credential.port}}', { port: 465 })).toBe('smtp.example.com:465');
  });

  test.each([
    [{}],
    [{ host: 'a.test' }],
    [{ host: '*', port: 25 }],
    [{ host: '*.test', port: 25 }],
    [{ host: 'a.test:26', port: 25 }],
    [{ host: 'a.test/', port: 25 }],
    [{ host: 'http://a.test', port: 25 }],
    [{ host: 'u@a.test', port: 25 }],
    [{ host: '{{credential.port}}', port: 25 }],
    [{ host: '', port: 25 }],
    [{ host: 'a.test', port: 0 }],
    [{ host: 'a.test', port: 2.5 }],
    [{ host: 'a.test', port: '25:26' }],
  ] as ReadonlyArray<[Record<string, string | number>]>)('grants nothing for %j', (credential) => {
    expect(resolve('{{credential.host}}:{{credential.port}}', credential)).toBeNull();
  });

  test('reads own values only', () => {
    expect(resolve('{{credential.constructor}}:25', {})).toBeNull();
    expect(resolve('{{credential.__proto__}}:25', {})).toBeNull();
  });
});

describe('isSubset and difference', () => {
  test.each([
    [{}, {}, true],
    [{ net: ['a.test'] }, { net: ['A.test.'] }, true],
    [{ net: ['a.test'] }, {}, false],
    [{ net: ['a.test'] }, { net: ['a.test:443'] }, true],
    [{ net: ['a.test:443'] }, { net: ['a.test'] }, false],
    [{ net: ['a.test:8443'] }, { net: ['a.test'] }, false],
    [{ net: ['x.a.test'] }, { net: ['*.a.test'] }, true],
    [{ net: ['x.y.a.test'] }, { net: ['*.a.test'] }, true],
    [{ net: ['*.x.a.test'] }, { net: ['*.a.test'] }, true],
    [{ net: ['a.test'] }, { net: ['*.a.test'] }, false],
    [{ net: ['*.a.test'] }, { net: ['x.a.test'] }, false],
    [{ net: ['xa.test'] }, { net: ['*.a.test'] }, false],
    [{ net: ['a.test:25'] }, { connect: ['a.test:25'] }, false],
    [{ net: ['{{credential.host}}'] }, { net: ['{{credential.host}}'] }, true],
    [{ net: ['x.test'] }, { net: ['{{credential.host}}'] }, false],
    [{ net: ['{{credential.host}}'] }, { net: ['*.example.com'] }, false],
    [{ net: ['*'] }, { net: ['*'] }, false],
    [{ connect: ['a.test:25'] }, { connect: ['a.test:25'] }, true],
    [{ connect: ['a.test:25'] }, { connect: ['a.test:26'] }, false],
    [{ storage: true }, {}, false],
    [{ storage: false }, {}, true],
    [{}, { net: ['a.test'], storage: true }, true],
  ])('%j within %j: %s', (asked, granted, within) => {
    expect(isSubset(asked, granted)).toBe(within);
  });

  test('name what is missing as it was asked for', () => {
    expect(
      difference({ net: ['A.test', 'b.test:1'], connect: ['c.test:2'], storage: true }, { net: ['b.test:1'] }),
    ).toEqual({
      net: ['A.test'],
      connect: ['c.test:2'],
      storage: true,
    });
    expect(difference({ net: ['a.test'] }, { net: ['a.test'], storage: true })).toEqual({});
  });
});
