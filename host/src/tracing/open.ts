import { ConfigError } from '../core/config.ts';
import type { Logger } from '../core/log.ts';
import type { Tracing } from './span.ts';

type Env = Readonly<Record<string, string | undefined>>;

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;

/**
 * Turns tracing on when an OTLP endpoint is set (https://opentelemetry.io/docs/specs/otel/protocol/exporter/); null when it is off. OpenTelemetry's
 * code is loaded only then: a host without traces pays neither its start time nor its memory.
 * @throws ConfigError for an endpoint that is no http URL
 */
export async function openTracing(env: Env, version: string, log: Logger): Promise<Tracing | null> {
  const name = ENDPOINTS.find((variable) => (env[variable] ?? '').trim() !== '');
  if (name === undefined || isTrue(env['OTEL_SDK_DISABLED']) || env['OTEL_TRACES_EXPORTER'] === 'none') return null;
  const endpoint = env[name] ?? '';
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    throw new ConfigError(`${name}: ${JSON.stringify(endpoint)} is not an http or https URL`);
  const { otlpTracing } = await import('./otlp.ts');
  return otlpTracing(env, version, log);
}

function isTrue(value: string | undefined): boolean {
  return value?.trim().toLowerCase() === 'true';
}
