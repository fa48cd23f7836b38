import { GoflowError } from '../core/errors.ts';
import { ROLES, type Role } from '../core/records.ts';
import type { Principal } from './principal.ts';

/** Which role is the least that may do what. Each role may also do what the roles before it may; the bootstrap key may do all. */
export const LEAST_ROLE = {
  'workflows:read': 'viewer',
  'workflows:dry-run': 'viewer',
  'runs:read': 'viewer',
  'actions:read': 'viewer',
  'plugins:read': 'viewer',
  'runs:trigger': 'trigger',
  'runs:cancel': 'trigger',
  'runs:replay': 'trigger',
  'workflows:write': 'editor',
  'credentials:read': 'editor',
  'credentials:write': 'editor',
  'plugins:write': 'admin',
  'plugins:grant': 'admin',
  'keys:read': 'admin',
  'keys:write': 'admin',
  'audit:read': 'admin',
  'metrics:read': 'admin',
  'backup:create': 'admin',
  'log-levels:read': 'admin',
  'log-levels:write': 'admin',
} as const satisfies Record<string, Role>;

export type Act = keyof typeof LEAST_ROLE;

export function may(role: Role, act: Act): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(LEAST_ROLE[act]);
}

/** Throws FORBIDDEN; to be asked before anyone looks whether the thing exists, so that the answer does not tell. */
export function authorize(principal: Principal, act: Act): void {
  if (may(principal.role, act)) return;
  throw new GoflowError('FORBIDDEN', `this needs the role ${LEAST_ROLE[act]}; the key has the role ${principal.role}`);
}
