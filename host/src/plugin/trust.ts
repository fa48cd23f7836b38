import { readdirSync, readFileSync, statSync, unwatchFile, watchFile } from 'node:fs';
import path from 'node:path';
import {
  type Bundle,
  KeyFileError,
  parseVerifyKey,
  type VerifyKey,
  verifySignatures,
} from '@goflow/plugin-sdk/contract';
import { ConfigError, type HostConfig } from '../core/config.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { LoadedPlugin, Signers } from './types.ts';

/** Whose bundles a host takes, and which it takes no more. */
export interface Trust {
  /** Who signed a bundle: looked at once, when it is loaded. */
  signersOf(bundle: Bundle): Signers;
  /** Why a plugin may not be used, for people; `null`: it may. */
  refusal(plugin: Pick<LoadedPlugin, 'digest' | 'firstParty' | 'signers'>): string | null;
  /** Calls back when the list of what is revoked has changed. */
  watch(onChange: () => void): void;
  close(): void;
}

export type TrustConfig = Pick<HostConfig, 'trust' | 'trustedKeys' | 'revoked'>;

/** How often the file of revoked keys and digests is looked at, in milliseconds. */
const LOOK_MS = 500;
const REVOKED = /^(?:ed25519-[0-9a-f]{32}|sha256-[A-Za-z0-9+/]{43}=)$/;

/**
 * Reads the policy's files.
 * @throws ConfigError when one of them cannot be used, or bundles have to be signed and no key is trusted
 */
export function openTrust(config: TrustConfig, log: Logger): Trust {
  const keys = config.trustedKeys.flatMap(readKeys);
  if (config.trust === 'signed' && keys.length === 0)
    throw new ConfigError('GOFLOW_TRUST is signed, but GOFLOW_TRUSTED_KEYS names no key: no plugin could be used');
  const { trust, revoked: file } = config;
  let revoked = file === undefined ? new Set<string>() : readRevoked(file);

  return {
    signersOf: (bundle) => ({
      trusted: verifySignatures(bundle, keys),
      claimed: bundle.signatures.map((entry) => entry['keyid']).filter((id) => typeof id === 'string'),
    }),
    refusal({ digest, firstParty, signers }) {
      if (revoked.has(digest)) return `its digest ${digest} is revoked`;
      if (firstParty) return null;
      const good = (signers?.trusted ?? []).filter((keyid) => !revoked.has(keyid));
      const withdrawn = signers?.claimed.find((keyid) => revoked.has(keyid));
      if (good.length > 0) return null;
      if (withdrawn !== undefined) return `the key ${withdrawn} that signed it is revoked`;
      return trust === 'any' ? null : 'it is not signed by a key that this host trusts (GOFLOW_TRUST=signed)';
    },
    watch(onChange) {
      if (file === undefined) return;
      watchFile(file, { interval: LOOK_MS, persistent: false }, () => {
        try {
          revoked = readRevoked(file);
        } catch (error) {
          // What was revoked stays so: a file that is being written, or was lost, brings nothing back.
          log.error(null, 'revocations could not be read', { file, 'error.message': messageOf(error) });
          return;
        }
        onChange();
      });
    },
    close() {
      if (file !== undefined) unwatchFile(file);
    },
  };
}

/** For hosts that ask for no signature and have revoked nothing. */
export const TAKE_ALL: Trust = {
  signersOf: () => ({ trusted: [], claimed: [] }),
  refusal: () => null,
  watch: () => {},
  close: () => {},
};

/** The keys of a file, or of every `*.pub` in a folder. */
function readKeys(place: string): VerifyKey[] {
  try {
    if (!statSync(place).isDirectory()) return [parseVerifyKey(readFileSync(place, 'utf8'))];
    const names = readdirSync(place).filter((name) => name.endsWith('.pub'));
    return names.sort().flatMap((name) => readKeys(path.join(place, name)));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const why = error instanceof KeyFileError ? error.message : messageOf(error);
    throw new ConfigError(`GOFLOW_TRUSTED_KEYS: ${JSON.stringify(place)} ${why}`);
  }
}

/** One key id or digest a line; `#` begins a comment. */
function readRevoked(file: string): Set<string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`GOFLOW_REVOKED: ${JSON.stringify(file)} cannot be read: ${messageOf(error)}`);
  }
  const entries = text
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '');
  const wrong = entries.find((entry) => !REVOKED.test(entry));
  if (wrong !== undefined)
    throw new ConfigError(
      `GOFLOW_REVOKED: ${JSON.stringify(wrong)} in ${JSON.stringify(file)} is neither a key id (ed25519-…) nor a bundle's digest (sha256-…)`,
    );
  return new Set(entries);
}
