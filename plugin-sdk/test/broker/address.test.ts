import { describe, expect, test } from 'vitest';
import { parseHost } from '../../src/contract/index.ts';
import { checkAddress } from '../../src/runtime/broker/address.ts';
import { fetchCall, refused, testBroker } from './harness.ts';

/** Every spelling of an address that a URL can have, and the range that it has to be recognised as. */
const SPECIAL: ReadonlyArray<readonly [spelling: string, range: string]> = [
  ['127.0.0.1', 'loopback'],
  ['127.1', 'loopback'],
  ['127.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['127.0.0.1.', 'loopback'],
  ['2130706433', 'loopback'],
  ['0x7f000001', 'loopback'],
  ['0X7F.1', 'loopback'],
  ['0x7f.0x0.0x0.0x1', 'loopback'],
  ['017700000001', 'loopback'],
  ['0177.0.0.1', 'loopback'],
  ['0177.0.0.01', 'loopback'],
  ['00000177.0.0.1', 'loopback'],
  ['127.0x000001', 'loopback'],
  ['127.000.000.001', 'loopback'],
  ['%31%32%37.0.0.1', 'loopback'],
  ['１２７.０.０.１', 'loopback'],
  ['①②⑦.⓪.⓪.①', 'loopback'],
  ['127。0。0。1', 'loopback'],
  ['127．0．0．1', 'loopback'],
  ['127｡0｡0｡1', 'loopback'],
  ['0', 'unspecified'],
  ['0.0.0.0', 'unspecified'],
  ['0x0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['00', 'unspecified'],
  ['10.0.0.1', 'private'],
  ['10.1', 'private'],
  ['0xa.1', 'private'],
  ['012.1.2.3', 'private'],
  ['167772161', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['172.16.1', 'private'],
  ['192.168.0.1', 'private'],
  ['192.168.257', 'private'],
  ['3232235521', 'private'],
  ['0xc0a80001', 'private'],
  ['169.254.169.254', 'link-local'],
  ['2852039166', 'link-local'],
  ['0xa9fea9fe', 'link-local'],
  ['0xa9.0xfe.0xa9.0xfe', 'link-local'],
  ['0251.0376.0251.0376', 'link-local'],
  ['169.254.43518', 'link-local'],
  ['169.16689662', 'link-local'],
  ['100.64.0.1', 'carrier-grade NAT'],
  ['100.127.255.255', 'carrier-grade NAT'],
  ['100.100.100.200', 'carrier-grade NAT'],
  ['192.0.0.1', 'reserved'],
  ['192.0.0.192', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['198.18.0.1', 'reserved'],
  ['198.19.255.255', 'reserved'],
  ['198.51.100.7', 'reserved'],
  ['203.0.113.7', 'reserved'],
  ['192.88.99.1', 'reserved'],
  ['240.0.0.1', 'reserved'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.250', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['4294967295', 'broadcast'],
  ['[::]', 'unspecified'],
  ['[::1]', 'loopback'],
  ['[0:0:0:0:0:0:0:1]', 'loopback'],
  ['[0000:0000:0000:0000:0000:0000:0000:0001]', 'loopback'],
  ['[::0.0.0.1]', 'loopback'],
  ['[::ffff:127.0.0.1]', 'loopback'],
  ['[::FFFF:7F00:1]', 'loopback'],
  ['[0:0:0:0:0:ffff:127.0.0.1]', 'loopback'],
  ['[::ffff:169.254.169.254]', 'link-local'],
  ['[::ffff:a9fe:a9fe]', 'link-local'],
  ['[::ffff:10.0.0.1]', 'private'],
  ['[::ffff:0.0.0.0]', 'unspecified'],
  ['[::127.0.0.1]', 'reserved'],
  ['[::a9fe:a9fe]', 'reserved'],
  ['[::ffff:0:127.0.0.1]', 'IPv4-translated'],
  ['[64:ff9b::127.0.0.1]', 'NAT64'],
  ['[64:ff9b::a9fe:a9fe]', 'NAT64'],
  ['[64:ff9b:1::10.0.0.1]', 'NAT64'],
  ['[2002:7f00:1::]', '6to4'],
  ['[2002:a9fe:a9fe::1]', '6to4'],
  ['[2001:0:7f00:1::]', 'teredo'],
  ['[2001::1]', 'teredo'],
  ['[2600:1f00::5efe:127.0.0.1]', 'ISATAP'],
  ['[2600:1f00::200:5efe:a00:1]', 'ISATAP'],
  ['[fe80::1]', 'link-local'],
  ['[febf::1]', 'link-local'],
  ['[fec0::1]', 'deprecatedSiteLocal'],
  ['[fc00::1]', 'unique-local'],
  ['[fd00:ec2::254]', 'unique-local'],
  ['[fd12:3456:789a::1]', 'unique-local'],
  ['[ff02::1]', 'multicast'],
  ['[ff0e::1]', 'multicast'],
  ['[100::1]', 'discard'],
  ['[2001:db8::1]', 'reserved'],
  ['[3fff::1]', 'reserved'],
  ['[2001:2::1]', 'benchmarking'],
  ['[2001:10::1]', 'deprecatedOrchid'],
  ['[2001:20::1]', 'orchid2'],
  ['[4000::1]', 'reserved'],
  ['[5f00::1]', 'segmentRouting'],
];

/** What a URL parser has to refuse, so that no address can come of it. */
const NO_HOST = [
  '[fe80::1%25eth0]',
  '[fe80::1%eth0]',
  '256.256.256.256',
  '127.0.0.1.1',
  '1.2.3.4.5',
  '0x100000000',
  '[::1',
  '[1.2.3.4]',
  '127.0.0.08',
];

describe('the address guard', () => {
  test(`knows ${SPECIAL.length} spellings of addresses that are not public`, () => {
    const seen = SPECIAL.map(([spelling]) => {
      const host = parseHost(new URL(`http://${spelling}/`).hostname);
      return [spelling, host === null ? 'no host' : (checkAddress(host.host)?.special ?? 'public')];
    });
    expect(seen).toEqual(SPECIAL);
  });

  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '100.63.255.255',
    '172.32.0.1',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
    '::ffff:8.8.8.8',
  ])('lets %s through', (address) => {
    expect(checkAddress(address)).toMatchObject({ special: null });
  });

  test('reads an IPv4-mapped address as the IPv4 address that is connected to', () => {
    expect(checkAddress('::ffff:8.8.8.8')).toEqual({ address: '8.8.8.8', family: 4, special: null });
  });

  test('takes short forms, which are no canonical addresses, for no address at all', () => {
    for (const text of ['127.1', '1', '0x7f.1', 'example.com', '']) expect(checkAddress(text)).toBeNull();
  });

  test('refuses every spelling before a connection, also when all of them are granted', async () => {
    const { open, resolved } = testBroker({ allow: '' });
    for (const [spelling, range] of SPECIAL) {
      const url = new URL(`http://${spelling}:8080/`);
      const session = open({ granted: { net: [`${url.hostname.replace(/\.$/, '')}:8080`] } });
      expect(await refused(session, fetchCall(`http://${spelling}:8080/`)), spelling).toMatchObject({
        code: 'EGRESS_DENIED',
        details: { rule: `address:${range}` },
      });
    }
    expect(resolved).toEqual([]);
  });

  test('refuses the same spellings as the target of a connection', async () => {
    const { open } = testBroker({ allow: '' });
    for (const [spelling, range] of SPECIAL) {
      if (spelling.includes('%')) continue;
      const bare = new URL(`http://${spelling}/`).hostname.replace(/\.$/, '');
      const session = open({ granted: { connect: [`${bare}:25`] } });
      const error = await refused(session, { op: 'connect', host: spelling, port: 25, secureTransport: 'off' });
      expect(error, spelling).toMatchObject({ code: 'EGRESS_DENIED', details: { rule: `address:${range}` } });
    }
  });

  test.each(NO_HOST)('makes no address of %s', async (spelling) => {
    const { open } = testBroker();
    const session = open({ granted: { connect: ['127.0.0.1:25'], net: ['127.0.0.1:25'] } });
    expect(URL.canParse(`http://${spelling}/`)).toBe(false);
    expect(await refused(session, fetchCall(`http://${spelling}:25/`))).toMatchObject({ code: 'CONNECTOR_ERROR' });
    expect(await refused(session, { op: 'connect', host: spelling, port: 25, secureTransport: 'off' })).toMatchObject({
      code: 'EGRESS_DENIED',
    });
  });

  test.each([
    ['http://granted.test:80@127.0.0.1:9/', '127.0.0.1'],
    ['http://granted.test%40127.0.0.1:9/', ''],
    ['http://127.0.0.1:9\\@granted.test/', '127.0.0.1'],
    ['http://127.0.0.1:9#@granted.test/', '127.0.0.1'],
    ['http://127.0.0.1:9?@granted.test/', '127.0.0.1'],
    ['http://granted.test.127.0.0.1:9/', ''],
    ['http://granted.test:80:9/', ''],
  ])('is not fooled by %s', async (url, host) => {
    const { open, resolved } = testBroker({ names: { 'granted.test': ['127.0.0.1'] } });
    const session = open({ granted: { net: ['granted.test:80', 'granted.test:9'] } });
    const error = await refused(session, fetchCall(url));
    expect(['EGRESS_DENIED', 'CONNECTOR_ERROR']).toContain(error.code);
    if (host !== '') expect(error).toMatchObject({ code: 'EGRESS_DENIED', details: { host } });
    expect(resolved).toEqual([]);
  });
});
