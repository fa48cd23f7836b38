import { type LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { type Host, showHost } from '../../contract/index.ts';
import { allowingEntry, type AllowPrivate } from './allow-private.ts';
import { type CheckedAddress, checkAddress } from './address.ts';
import { egressDenied, fromNetworkFailure, networkError } from './errors.ts';

/** Gives the addresses of a name, as text. */
export type Resolve = (host: string) => Promise<readonly string[]>;

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
  readonly #resolve: Resolve;

  constructor(allow: AllowPrivate, resolve: Resolve = systemResolve) {
    this.#allow = allow;
    this.#resolve = resolve;
  }

  /** The addresses of `host` that may be connected to, at least one; throws EGRESS_DENIED or NETWORK_ERROR. */
  async addressesOf(host: Host, port: number): Promise<readonly OpenAddress[]> {
    const all =
      host.kind === 'name' ? await this.#lookUp(host.host) : [checkAddress(host.host)].filter((one) => one !== null);
    const open: OpenAddress[] = [];
    let refused: CheckedAddress | null = null;
    for (const one of all) {
      const isOpen = one.special === null || (await this.#isAllowed(one, port, host.host));
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

  async #isAllowed(address: CheckedAddress, port: number, asked: string): Promise<boolean> {
    const entry = await allowingEntry(this.#allow, address, port, asked, (name) => this.#lookUp(name));
    return entry !== null;
  }

  async #lookUp(name: string): Promise<CheckedAddress[]> {
    let answers: readonly string[];
    try {
      answers = await this.#resolve(name);
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
