import path from 'node:path';
import { COMPONENTS, LOG_LEVELS, type Component, type LogLevel } from './log.ts';

/** What the host is told by its environment; docs/OPERATIONS.md has the table, a test compares the two. */
export interface HostConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly dataDir: string;
  readonly pluginsDir: string;
  readonly adminKey: string | undefined;
  /** Base64 of 32 bytes. */
  readonly masterKey: string | undefined;
  /** Text of GOFLOW_EGRESS_ALLOW_PRIVATE; the broker reads it. */
  readonly egressAllowPrivate: string;
  readonly logLevel: LogLevel;
  readonly logLevels: Partial<Record<Component, LogLevel>>;
  /** Seconds that SIGTERM waits for runs in flight. */
  readonly drainTimeout: number;
  /** Bytes of a request body. */
  readonly maxBody: number;
  /** Requests per second and key; null: no limit. */
  readonly rateLimit: number | null;
  /** Requests per second and tenant; null: no limit. */
  readonly rateLimitTenant: number | null;
  /** Runs in hand at once, over all tenants. */
  readonly maxRunning: number;
  /** Runs that one tenant may have waiting for a place. */
  readonly maxQueued: number;
  /** Days that ended runs are kept; null: no limit. */
  readonly runRetentionDays: number | null;
  /** Ended runs that are kept, the newest of all tenants; null: no limit. */
  readonly runRetentionCount: number | null;
  /** URL of the OpenID Connect issuer whose tokens are taken besides API keys. */
  readonly oidcIssuer: string | undefined;
  readonly oidcAudience: string | undefined;
  /** Claims that name the tenant and the role. */
  readonly oidcTenantClaim: string;
  readonly oidcRoleClaim: string;
  /** Whether bundles have to be signed by a trusted key. */
  readonly trust: 'any' | 'signed';
  /** Files of public keys, and folders of them. */
  readonly trustedKeys: readonly string[];
  /** File of revoked key ids and digests, looked at while the host runs. */
  readonly revoked: string | undefined;
}

/** A value that cannot be used. `message` is one line: the variable, the value, what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

interface Variable<K extends keyof HostConfig> {
  readonly field: K;
  /** Environment variable; its flag is the same name in lower case with dashes, without GOFLOW. */
  readonly name: string;
  readonly alias?: string;
  readonly fallback: string | undefined;
  readonly allowed: string;
  readonly meaning: string;
  /** Undefined: the value is wrong. */
  parse(text: string): HostConfig[K] | undefined;
}

function variable<K extends keyof HostConfig>(definition: Variable<K>): Variable<K> {
  return definition;
}

const SIZE = /^(\d{1,12})(b|kb|mb)?$/i;
const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 * 1024 };

const RATE = 'a whole number from 1 to 1000000, or off';
const CLAIM = '1 to 128 visible ASCII characters';

export const VARIABLES = [
  variable({
    field: 'host',
    name: 'GOFLOW_HOST',
    fallback: '127.0.0.1',
    allowed: 'a host name or an IP address',
    meaning: 'address to listen on',
    parse: (text) => (/^[A-Za-z0-9.:_-]+$/.test(text) ? text : undefined),
  }),
  variable({
    field: 'port',
    name: 'GOFLOW_PORT',
    alias: 'PORT',
    fallback: '8080',
    allowed: 'a number from 0 (any free port) to 65535',
    meaning: 'port to listen on',
    parse: (text) => integer(text, 0, 65_535),
  }),
  variable({
    field: 'dataDir',
    name: 'GOFLOW_DATA_DIR',
    fallback: './.goflow',
    allowed: 'a folder',
    meaning: 'database, installed bundles, keys',
    parse: (text) => path.resolve(text),
  }),
  variable({
    field: 'pluginsDir',
    name: 'GOFLOW_PLUGINS_DIR',
    fallback: './plugins',
    allowed: 'a folder',
    meaning: 'drop-in folder for bundles',
    parse: (text) => path.resolve(text),
  }),
  variable({
    field: 'adminKey',
    name: 'GOFLOW_ADMIN_KEY',
    fallback: undefined,
    allowed: 'at least 16 visible ASCII characters',
    meaning: 'bootstrap API key with every right',
    parse: (text) => (/^[\x21-\x7e]{16,512}$/.test(text) ? text : undefined),
  }),
  variable({
    field: 'masterKey',
    name: 'GOFLOW_MASTER_KEY',
    fallback: undefined,
    allowed: 'base64 of exactly 32 bytes',
    meaning: 'encrypts credentials and secrets at rest',
    parse: (text) => (/^[A-Za-z0-9+/]{43}=$/.test(text) ? text : undefined),
  }),
  variable({
    field: 'egressAllowPrivate',
    name: 'GOFLOW_EGRESS_ALLOW_PRIVATE',
    fallback: '',
    allowed: 'a comma list of host:port or CIDR, e.g. 127.0.0.1:2525,10.0.0.0/8',
    meaning: 'private addresses that plugins with a matching grant may reach',
    parse: (text) => text,
  }),
  variable({
    field: 'logLevel',
    name: 'GOFLOW_LOG_LEVEL',
    fallback: 'info',
    allowed: LOG_LEVELS.join(', '),
    meaning: 'default log level',
    parse: logLevel,
  }),
  variable({
    field: 'logLevels',
    name: 'GOFLOW_LOG_LEVELS',
    fallback: '',
    allowed: `a comma list of component=level with the components ${COMPONENTS.join(', ')} and the levels ${LOG_LEVELS.join(', ')}`,
    meaning: 'log level per component',
    parse: componentLevels,
  }),
  variable({
    field: 'drainTimeout',
    name: 'GOFLOW_DRAIN_TIMEOUT',
    fallback: '30',
    allowed: 'seconds from 0 to 3600',
    meaning: 'how long SIGTERM waits for runs in flight',
    parse: (text) => number(text, 0, 3600),
  }),
  variable({
    field: 'maxBody',
    name: 'GOFLOW_MAX_BODY',
    fallback: '1mb',
    allowed: 'a size such as 500kb or 2mb, from 1kb to 100mb',
    meaning: 'largest request body',
    parse: size,
  }),
  variable({
    field: 'rateLimit',
    name: 'GOFLOW_RATE_LIMIT',
    fallback: '10000',
    allowed: RATE,
    meaning: 'requests per second that a key may send',
    parse: rate,
  }),
  variable({
    field: 'rateLimitTenant',
    name: 'GOFLOW_RATE_LIMIT_TENANT',
    fallback: '20000',
    allowed: RATE,
    meaning: 'requests per second that all keys and webhooks of a tenant may send together',
    parse: rate,
  }),
  variable({
    field: 'maxRunning',
    name: 'GOFLOW_MAX_RUNNING',
    fallback: '10000',
    allowed: 'a whole number from 1 to 20000',
    meaning: 'runs in hand at once; one tenant may have four fifths of it',
    parse: (text) => integer(text, 1, 20_000),
  }),
  variable({
    field: 'maxQueued',
    name: 'GOFLOW_MAX_QUEUED',
    fallback: '20000',
    allowed: 'a whole number from 0 to 1000000',
    meaning: 'runs that a tenant may have waiting; one more is answered with 429',
    parse: (text) => integer(text, 0, 1_000_000),
  }),
  variable({
    field: 'runRetentionDays',
    name: 'GOFLOW_RUN_RETENTION_DAYS',
    fallback: 'off',
    allowed: 'days from 0.01 to 36500, fractions allowed, or off',
    meaning: 'how long ended runs are kept',
    parse: (text) => (text === 'off' ? null : number(text, 0.01, 36_500)),
  }),
  variable({
    field: 'runRetentionCount',
    name: 'GOFLOW_RUN_RETENTION_COUNT',
    fallback: 'off',
    allowed: 'a whole number from 100 to 1000000000, or off',
    meaning: 'how many ended runs are kept, the newest of all tenants',
    parse: (text) => (text === 'off' ? null : integer(text, 100, 1_000_000_000)),
  }),
  variable({
    field: 'oidcIssuer',
    name: 'GOFLOW_OIDC_ISSUER',
    fallback: undefined,
    allowed: 'an https URL without query (http on a loopback address)',
    meaning: 'OpenID Connect issuer whose tokens are taken besides API keys',
    parse: issuer,
  }),
  variable({
    field: 'oidcAudience',
    name: 'GOFLOW_OIDC_AUDIENCE',
    fallback: undefined,
    allowed: '1 to 512 visible ASCII characters',
    meaning: 'audience that tokens for this host name; needed with an issuer',
    parse: (text) => (/^[\x21-\x7e]{1,512}$/.test(text) ? text : undefined),
  }),
  variable({
    field: 'oidcTenantClaim',
    name: 'GOFLOW_OIDC_TENANT_CLAIM',
    fallback: 'tenant_id',
    allowed: CLAIM,
    meaning: 'claim of a token that names the tenant',
    parse: claim,
  }),
  variable({
    field: 'oidcRoleClaim',
    name: 'GOFLOW_OIDC_ROLE_CLAIM',
    fallback: 'goflow_role',
    allowed: CLAIM,
    meaning: 'claim of a token that names the role, or a list of roles of which the strongest counts',
    parse: claim,
  }),
  variable({
    field: 'trust',
    name: 'GOFLOW_TRUST',
    fallback: 'any',
    allowed: 'any or signed',
    meaning: 'whether plugins have to be signed by a trusted key',
    parse: (text) => (text === 'any' || text === 'signed' ? text : undefined),
  }),
  variable({
    field: 'trustedKeys',
    name: 'GOFLOW_TRUSTED_KEYS',
    fallback: '',
    allowed: 'a comma list of public key files (FILE.pub) and folders of them',
    meaning: 'keys whose signature on a plugin is trusted',
    parse: (text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .map((part) => path.resolve(part)),
  }),
  variable({
    field: 'revoked',
    name: 'GOFLOW_REVOKED',
    fallback: undefined,
    allowed: 'a file',
    meaning: 'file of key ids and bundle digests that are trusted no more, one a line; changes take effect at once',
    parse: (text) => path.resolve(text),
  }),
] as const;

/** The flag of a variable: GOFLOW_DATA_DIR → data-dir. */
export function flagOf(name: string): string {
  return name
    .replace(/^GOFLOW_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

/**
 * Reads the configuration; a flag beats its variable. An empty variable counts as not set.
 * @throws ConfigError naming the first wrong value
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string | undefined>> = {},
): HostConfig {
  if (isSet(env['GOFLOW_DATABASE_URL'])) {
    throw new ConfigError(
      'GOFLOW_DATABASE_URL is set, but this version stores in SQLite only; unset it to use the database in GOFLOW_DATA_DIR',
    );
  }
  const config: Record<string, unknown> = {};
  for (const definition of VARIABLES) {
    const flag = flags[flagOf(definition.name)];
    const alias = 'alias' in definition ? definition.alias : undefined;
    const source =
      flag !== undefined
        ? `--${flagOf(definition.name)}`
        : isSet(env[definition.name]) || alias === undefined
          ? definition.name
          : alias;
    const given = flag ?? env[source];
    const text = isSet(given) || flag !== undefined ? (given as string) : definition.fallback;
    if (text === undefined) continue;
    const value = definition.parse(text);
    if (value === undefined) {
      // A key is a secret even when it is wrong.
      const shown =
        definition.field === 'adminKey' || definition.field === 'masterKey' ? 'the given value' : JSON.stringify(text);
      throw new ConfigError(`${source}: ${shown} is not ${definition.allowed}`);
    }
    config[definition.field] = value;
  }
  if (config['oidcIssuer'] !== undefined && config['oidcAudience'] === undefined) {
    throw new ConfigError(
      `GOFLOW_OIDC_AUDIENCE is not set, but GOFLOW_OIDC_ISSUER is ${JSON.stringify(config['oidcIssuer'])}; set it to the audience of tokens for this host, or any application of the issuer could use its tokens here`,
    );
  }
  return config as unknown as HostConfig;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

function integer(text: string, min: number, max: number): number | undefined {
  return /^\d+$/.test(text) ? number(text, min, max) : undefined;
}

function number(text: string, min: number, max: number): number | undefined {
  if (!/^\d+(\.\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function logLevel(text: string): LogLevel | undefined {
  return LOG_LEVELS.find((level) => level === text);
}

function componentLevels(text: string): Partial<Record<Component, LogLevel>> | undefined {
  const levels: Partial<Record<Component, LogLevel>> = {};
  for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
    const [component, level, ...rest] = entry.split('=').map((part) => part.trim());
    const known = COMPONENTS.find((name) => name === component);
    const parsed = level === undefined ? undefined : logLevel(level);
    if (known === undefined || parsed === undefined || rest.length > 0) return undefined;
    levels[known] = parsed;
  }
  return levels;
}

function size(text: string): number | undefined {
  const match = SIZE.exec(text);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * (UNITS[(match[2] ?? 'b').toLowerCase()] ?? 1);
  return bytes >= 1024 && bytes <= 100 * 1024 * 1024 ? bytes : undefined;
}

function rate(text: string): number | null | undefined {
  return text === 'off' ? null : integer(text, 1, 1_000_000);
}

/** Tokens are bound to this text letter by letter, so it stays as it is written. */
function issuer(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const local = url.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  return (url.protocol === 'https:' || local) && url.search === '' && url.hash === '' ? text : undefined;
}

function claim(text: string): string | undefined {
  return /^[\x21-\x7e]{1,128}$/.test(text) ? text : undefined;
}
