import type { EngineCall } from './call.ts';
import type { CallEvent } from './lane.ts';
import { MAX_BYTES_PER_SECOND, MAX_EVENTS_PER_SECOND } from './settings.ts';

/** Counts an event of a call. Returns whether the call is flooding: more messages or bytes in a second than any honest one sends. */
export function floods(call: EngineCall, event: CallEvent): boolean {
  const now = performance.now();
  if (now - call.secondAt > 1000) {
    call.secondAt = now;
    call.events = 0;
    call.bytes = 0;
  }
  call.events += 1;
  call.bytes += sizeOf(event);
  return call.events > MAX_EVENTS_PER_SECOND || call.bytes > MAX_BYTES_PER_SECOND;
}

/** The part of an event whose size the connector decides; strings count two bytes a unit, as they are held. */
function sizeOf(event: CallEvent): number {
  if (event.type === 'log') return 2 * event.message.length;
  if (event.type === 'progress') return 2 * (event.message?.length ?? 0);
  if (event.type !== 'call') return 0;
  const { request } = event;
  if (request.op === 'fetch') return 2 * request.request.url.length + (request.request.body?.byteLength ?? 0);
  if (request.op === 'socket.write') return request.data.byteLength;
  return request.op === 'storage.set' && typeof request.value === 'string' ? 2 * request.value.length : 0;
}
