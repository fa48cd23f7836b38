import type { LaneEvent } from '../protocol/worker.ts';
import type { EngineCall } from './call.ts';
import { MAX_BYTES_PER_SECOND, MAX_EVENTS_PER_SECOND } from './settings.ts';

/** Counts an event of a call. Returns whether the call is flooding: more messages or bytes in a second than any honest one sends. */
export function floods(call: EngineCall, event: LaneEvent): boolean {
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
function sizeOf(event: LaneEvent): number {
  switch (event.type) {
    case 'log':
      return 2 * event.message.length;
    case 'progress':
      return 2 * (event.message?.length ?? 0);
    case 'call':
      return callSize(event.request);
    default:
      return 0;
  }
}

function callSize(request: Extract<LaneEvent, { type: 'call' }>['request']): number {
  switch (request.op) {
    case 'fetch':
      return 2 * request.request.url.length + (request.request.body?.byteLength ?? 0);
    case 'socket.write':
      return request.data.byteLength;
    case 'storage.set':
      return typeof request.value === 'string' ? 2 * request.value.length : 0;
    default:
      return 0;
  }
}
