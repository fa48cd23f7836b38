import { type LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { type Host, showHost } from '../../contract/index.ts';
import { allowingEntry, type AllowPrivate } from './allow-private.ts';
import { type CheckedAddress, checkAddress } from './address.ts';
import { egressDenied, fromNetworkFailure, networkError } from './errors.ts';
import { type Asker, Lookups, NOBODY, type Resolve } from './lookups.ts';

export type { Resolve } from './lookups.ts';

/** An address that may be connected to. */
export interface OpenAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** More addresses than this of one name are not tried. */
const MAX_ADDRESSES = 16;

/**
 * Decides which addresses may be connected to: public ones, and those that the operator opened. A name is resolved once per
 * connection and the connection goes to one of the addresses checked here, so a second DNS answer cannot change anything.
 */
export class AddressGuard {
  readonly #allow: AllowPrivate;
  readonly #lookups: Lookups;

  constructor(allow: AllowPrivate, resolve: Resolve = systemResolve) {
    this.#allow = allow;
    this.#lookups = new Lookups(resolve);
  }

  /** The addresses of `host` that may be connected to, at least one; throws EGRESS_DENIED or NETWORK_ERROR. Look-ups wait for others of the same asker. */
  async addressesOf(host: Host, port: number, asker: Asker = NOBODY): Promise<readonly OpenAddress[]> {
    const all =
      host.kind === 'name'
        ? await this.#lookUp(host.host, asker)
        : [checkAddress(host.host)].filter((one) => one !== null);
    const open: OpenAddress[] = [];
    let refused: CheckedAddress | null = null;
    for (const one of all) {
      const isOpen = one.special === null || (await this.#isAllowed(one, port, host.host, asker));
      if (isOpen) open.push(one);
      else refused ??= one;
    }
    if (open.length > 0) return open;
    const target = showHost(host.host);
    if (refused?.special == null) throw networkError(`${target} has no address`, { host: target, cause: 'ENODATA' });
    throw egressDenied(
      target,
      `${host.kind === 'name' ? 'it resolves to' : 'it is'} a ${refused.special} address, and the operator has not opened it for port ${port} (GOFLOW_EGRESS_ALLOW_PRIVATE)`,
      `address:${refused.special}`,
    );
  }

  async #isAllowed(address: CheckedAddress, port: number, asked: string, asker: Asker): Promise<boolean> {
    const entry = await allowingEntry(this.#allow, address, port, asked, (name) => this.#lookUp(name, asker));
    return entry !== null;
  }

  async #lookUp(name: string, asker: Asker): Promise<CheckedAddress[]> {
    let answers: readonly string[];
    try {
      answers = await this.#lookups.addresses(name, asker);
    } catch (error) {
      throw fromNetworkFailure(name, error);
    }
    return answers.slice(0, MAX_ADDRESSES).flatMap((answer) => checkAddress(answer) ?? []);
  }
}

async function systemResolve(host: string): Promise<string[]> {
  const answers: LookupAddress[] = await lookup(host, { all: true, order: 'verbatim' });
  return answers.map((answer) => answer.address);
}
