import type { Role } from '../core/records.ts';

/** Who sends a request. */
export interface Principal {
  /** Null: the bootstrap key, or nobody in open mode. */
  readonly keyId: string | null;
  /** The tenant that is acted in, and the only one that is seen. */
  readonly tenantId: string;
  readonly userId: string;
  readonly role: Role;
  /** The bootstrap key and open mode: plugins for every tenant, keys of any tenant. */
  readonly hostWide: boolean;
}

export const TENANT_ID = /^[A-Za-z0-9_-]{1,64}$/;
export const DEFAULT_TENANT = 'default';

export function bootstrapPrincipal(tenantId: string): Principal {
  return { keyId: null, tenantId, userId: 'bootstrap', role: 'admin', hostWide: true };
}

/** Nobody has to say who they are: no key is configured, and only this machine can reach the host. */
export const OPEN_PRINCIPAL: Principal = {
  keyId: null,
  tenantId: DEFAULT_TENANT,
  userId: 'dev',
  role: 'admin',
  hostWide: true,
};
