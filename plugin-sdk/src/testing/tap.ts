import type { JsonValue } from '../contract/index.ts';
import type { BrokerCall } from '../runtime/protocol/broker.ts';
import type { BrokerReply } from '../runtime/protocol/engine.ts';

/** Stands between a connector under test and the broker: sees each call, and passes it on or answers it itself. */
export type Tap = (
  call: BrokerCall,
  next: (call: BrokerCall) => Promise<BrokerReply>,
  view: TapView,
) => Promise<BrokerReply>;

/** How a call may be written down. */
export interface TapView {
  /** A text without secrets: placeholders as `{{credential.api_key}}`, secrets as `***`. */
  redact(text: string): string;
}

/** Gives the redaction of one call: `seen` is the credential as the connector has it, `mask` takes real secrets out. */
export function tapView(real: JsonValue, seen: JsonValue, mask: (text: string) => string): TapView {
  const tokens = new Map<string, string>();
  collect(real, seen, 'credential', tokens);
  return {
    redact(text) {
      let redacted = text;
      for (const [token, name] of tokens) redacted = redacted.replaceAll(token, `{{${name}}}`);
      return mask(redacted);
    },
  };
}

function collect(real: unknown, seen: unknown, path: string, tokens: Map<string, string>): void {
  if (typeof seen === 'string' && seen !== String(real)) tokens.set(seen, path);
  if (typeof seen !== 'object' || seen === null) return;
  for (const [key, value] of Object.entries(seen))
    collect((real as Record<string, unknown>)[key], value, `${path}.${key}`, tokens);
}

/** Several taps as one; the first is nearest to the connector. */
export function joinTaps(taps: readonly Tap[]): Tap {
  return (call, next, view) =>
    taps.reduceRight<(call: BrokerCall) => Promise<BrokerReply>>(
      (inner, tap) => (one) => tap(one, inner, view),
      next,
    )(call);
}
