/** Whether spans of a trace are sent. */
export type Sampler = (traceId: string, parentSampled: boolean) => boolean;

/**
 * The samplers of `OTEL_TRACES_SAMPLER` (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), decided by the trace
 * id alone, so that all spans of a trace have the same fate. Null: the name is not known.
 */
export function samplerOf(name: string | undefined, argument: string | undefined): Sampler | null {
  const ratio = ratioOf(argument);
  switch (name ?? 'parentbased_always_on') {
    case 'always_on':
      return () => true;
    case 'always_off':
    case 'parentbased_always_off':
      return () => false;
    case 'traceidratio':
      return (traceId) => isWithin(traceId, ratio);
    case 'parentbased_always_on':
      return (_traceId, parentSampled) => parentSampled;
    case 'parentbased_traceidratio':
      return (traceId, parentSampled) => parentSampled && isWithin(traceId, ratio);
    default:
      return null;
  }
}

function ratioOf(argument: string | undefined): number {
  const ratio = argument === undefined || argument.trim() === '' ? 1 : Number(argument);
  return ratio >= 0 && ratio <= 1 ? ratio : 1;
}

/** By the last 56 bits, which W3C trace context says are random. */
function isWithin(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) < ratio * 2 ** 52;
}
