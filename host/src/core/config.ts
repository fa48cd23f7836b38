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
