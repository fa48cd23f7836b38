type Namespace = Readonly<Record<string, unknown>>;
interface Instant {
  toZonedDateTimeISO(zone: unknown): { toPlainDateTime(): unknown; toPlainDate(): unknown; toPlainTime(): unknown };
}

/** `Temporal` with the clock of `Date`: its own `Now` tells nanoseconds, which shows what neighbours on the same machine do. */
export function coarseTemporal(temporal: Namespace): Namespace {
  const { timeZoneId } = temporal['Now'] as { timeZoneId: () => string };
  const { fromEpochMilliseconds } = temporal['Instant'] as { fromEpochMilliseconds: (ms: number) => Instant };
  const zoned = (zone: unknown) => fromEpochMilliseconds(Date.now()).toZonedDateTimeISO(zone ?? timeZoneId());
  const now = {
    timeZoneId: () => timeZoneId(),
    instant: () => fromEpochMilliseconds(Date.now()),
    zonedDateTimeISO: (zone?: unknown) => zoned(zone),
    plainDateTimeISO: (zone?: unknown) => zoned(zone).toPlainDateTime(),
    plainDateISO: (zone?: unknown) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone?: unknown) => zoned(zone).toPlainTime(),
  };
  const all = Object.getOwnPropertyDescriptors(temporal);
  return Object.create(Object.prototype, {
    ...all,
    Now: { value: now, writable: true, enumerable: false, configurable: true },
  }) as Namespace;
}
