import type { Auth } from '../auth/auth.ts';
import type { RateLimits } from '../auth/rate-limits.ts';
import type { Backups } from '../backup/create-backup.ts';
import type { Credentials } from '../credential/credentials.ts';
import type { Logger, Logging } from '../core/log.ts';
import type { MetricFamily } from '../metrics/family.ts';
import type { Plugins } from '../plugin/types.ts';
import type { Runs } from '../run/types.ts';
import type { Store } from '../store/store.ts';
import type { Tracer } from '../tracing/span.ts';
import type { Workflows } from '../workflow/types.ts';
import type { Route } from './route.ts';

/** Everything that the HTTP room needs from the rest of the host; `host.ts` wires it. */
export interface HttpServices {
  readonly workflows: Workflows;
  readonly runs: Runs;
  readonly plugins: Plugins;
  readonly credentials: Pick<Credentials, 'create' | 'list' | 'delete' | 'view'>;
  readonly auth: Auth;
  readonly store: Pick<Store, 'ping' | 'audit'>;
  /** Left out: no limits. */
  readonly rateLimits?: RateLimits;
  /** The logger of the component `http`. */
  readonly log: Logger;
  /** Takes the span of each request; left out or null: traces are off. */
  readonly tracer?: Tracer | null;
  /** For `/api/backup`. */
  readonly backups?: Backups;
  /** For `/api/log-levels`. */
  readonly logging?: Pick<Logging, 'levels' | 'setLevels'>;
  readonly config: HttpConfig;
  readonly health: Health;
  /** Families of the other rooms for `GET /metrics`. */
  readonly metrics?: () => readonly MetricFamily[];
  /** Routes of a special host, `goflow dev`'s inbox for one. They are in no document. */
  readonly extraRoutes?: readonly Route[];
}

export interface HttpConfig {
  /** Largest request body in bytes (`GOFLOW_MAX_BODY`); bundle uploads have a limit of their own. */
  readonly maxBody: number;
  /** Version of the host, shown in the OpenAPI document. */
  readonly version?: string;
}

/** One thing that was looked at; `detail` says what is wrong, for an operator. */
export interface HealthCheck {
  readonly ok: boolean;
  readonly detail?: string;
}

/** Both are asked often and answer at once, from what is known. The store is asked by the HTTP room itself. */
export interface Health {
  live(): Readonly<Record<string, HealthCheck>>;
  ready(): Readonly<Record<string, HealthCheck>>;
}
