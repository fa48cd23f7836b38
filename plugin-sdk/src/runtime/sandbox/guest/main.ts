import type { Guest } from '../border.ts';
import { GuestCall, beginCall, callOf } from './calls.ts';
import { describeConnector, loadConnector, runAction } from './connector.ts';
import { installGlobals } from './globals.ts';
import { reportThrown } from './reports.ts';
import { forgetTask, settleTask } from './tasks.ts';
import { fireTimer, forgetTimers } from './timers.ts';

const globals = installGlobals();

/** While code is loaded there is a log to write to, but no call yet. */
const NO_CONTEXT = Object.freeze({}) as never;

/** The guest half: what the outer realm may ask of a compartment. */
export const guest: Guest = Object.freeze({
  load(code, key) {
    const failed = loadConnector(code, globals, new GuestCall(key, NO_CONTEXT, 0));
    return failed === null ? null : JSON.stringify(failed);
  },
  invoke(key, action, input, context, deadline) {
    const call = new GuestCall(key, context, deadline);
    beginCall(call);
    void runAction(call, action, input).finally(() => forgetTimers(key));
  },
  describe: describeConnector,
  abort(key, reason) {
    callOf(key)?.abort(reason);
  },
  answer(key, ask, ok, value) {
    callOf(key)?.answer(ask, ok, value as never);
  },
  fire: fireTimer,
  settle: settleTask,
  forget: forgetTask,
  uncaught(key, thrown, kind) {
    reportThrown(thrown, kind === 'rejection' ? 'promise rejection' : 'exception', callOf(key));
  },
} satisfies Guest);
