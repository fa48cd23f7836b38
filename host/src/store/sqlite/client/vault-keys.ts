import type { VaultKeyStore } from '../../store.ts';
import type { StoreConnection } from './connection.ts';
import { ownBytes } from './values.ts';

export function vaultKeyStore(connection: StoreConnection): VaultKeyStore {
  return {
    get: (ctx, name) => connection.call(ctx, 'vaultKeys.get', name),
    add: (ctx, name, wrapped) => connection.call(ctx, 'vaultKeys.add', [name, ownBytes(wrapped)]),
    async list(ctx) {
      const rows = await connection.call(ctx, 'vaultKeys.list', null);
      return rows.map(([name, wrapped]) => ({ name, wrapped }));
    },
    replaceAll: (ctx, keys) =>
      connection.call(
        ctx,
        'vaultKeys.replaceAll',
        keys.map(({ name, wrapped }) => [name, ownBytes(wrapped)] as const),
      ),
  };
}
