import { type GuestCall, loggingCall } from './calls.ts';
import { readThrown } from './failure.ts';

/** Logs what was thrown where nobody catches (a timer, a listener, a microtask), to the call that it belongs to. */
export function reportThrown(thrown: unknown, where: string, call: GuestCall | undefined = loggingCall()): void {
  if (call === undefined) return;
  const { code, message } = readThrown(thrown);
  call.log('error', `uncaught ${where}: ${message}`, { code });
}
