import { sha256 } from '../contract/index.ts';

/**
 * The connector's code with a clock of the test's own and a count of what a call leaves behind. Both are put into the code, as names
 * that hide the globals of the same names: the sandbox itself stays the production one.
 */
export function instrument(code: string, clock: number | null): { readonly code: string; readonly digest: string } {
  // On the line of the code's own beginning, so that places in it stay what they are.
  const instrumented = `${PROLOGUE.replaceAll('__NOW__', String(clock)).replaceAll('\n', ' ')}${code}\n${EPILOGUE}`;
  return { code: instrumented, digest: sha256(instrumented) };
}

/** The log line by which the instrumented code tells what was left behind; it is not shown. */
export const LEFT_BEHIND = 'goflow:left-behind';

/**
 * With a clock, time stands still while code computes or waits for the network, and jumps to the next timer once nothing but timers
 * is waited for. A real turn of the event loop passes before each jump, so that answers which are on their way come first.
 * This text runs inside the sandbox: no imports, no comments.
 */
const PROLOGUE = `
const __goflow = (() => {
  const real = { Date, setTimeout, clearTimeout, setInterval, clearInterval, fetch };
  const virtual = __NOW__ !== null;
  let time = __NOW__, asking = 0, last = 0, pump = null;
  const began = real.Date.now();
  const timers = new Map();
  const now = () => (virtual ? time : real.Date.now());
  const wake = () => { if (virtual && pump === null && timers.size > 0) pump = real.setTimeout(jump, 4); };
  const jump = () => {
    pump = null;
    if (asking > 0) { wake(); return; }
    let next = null;
    for (const timer of timers.values()) if (next === null || timer.due < next.due) next = timer;
    if (next === null) return;
    time = Math.max(time, next.due);
    if (next.every === null) timers.delete(next.id); else next.due += next.every;
    wake();
    next.callback(...next.args);
  };
  const start = (repeat) => (callback, ms = 0, ...args) => {
    if (typeof callback !== 'function') throw new TypeError('a timer needs a function: text is not evaluated');
    const id = ++last;
    const wait = Math.max(1, Number(ms) || 0);
    const timer = { id, callback, args, due: now() + wait, every: repeat ? wait : null, handle: null };
    timers.set(id, timer);
    if (virtual) wake();
    else timer.handle = repeat ? real.setInterval(() => callback(...args), ms) : real.setTimeout(() => { timers.delete(id); callback(...args); }, ms);
    return id;
  };
  const stop = (id) => {
    const timer = timers.get(id);
    timers.delete(id);
    if (timer !== undefined && timer.handle !== null) real.clearTimeout(timer.handle);
  };
  const asked = (promise) => { asking += 1; const done = () => { asking -= 1; }; promise.then(done, done); return promise; };
  class FakeDate extends real.Date {
    constructor(...args) { if (args.length === 0) super(now()); else super(...args); }
    static now() { return now(); }
  }
  const CallableDate = new Proxy(FakeDate, { apply: () => new FakeDate().toString() });
  const contextOf = (ctx) => {
    const own = virtual ? {
      deadline: time + (ctx.deadline - real.Date.now()),
      sleep: (ms) => new Promise((resolve, reject) => {
        if (ctx.signal.aborted) { reject(ctx.signal.reason); return; }
        const id = start(false)(() => { ctx.signal.removeEventListener('abort', over); resolve(); }, ms);
        const over = () => { stop(id); reject(ctx.signal.reason); };
        ctx.signal.addEventListener('abort', over, { once: true });
      }),
      fetch: (input, init) => asked(ctx.fetch(input, init)),
    } : {};
    if (virtual) own.remaining = () => Math.max(0, own.deadline - time);
    return new Proxy(ctx, { get(target, key) {
      if (Object.hasOwn(own, key)) return own[key];
      const value = target[key];
      return typeof value === 'function' && key !== 'fetch' ? value.bind(target) : value;
    } });
  };
  const wrap = (action) => ({ ...action, async run(ctx, input) {
    time = __NOW__;
    try { return await action.run(contextOf(ctx), input); }
    finally { ctx.log.debug('goflow:left-behind', { timers: timers.size, time: now() }); for (const id of [...timers.keys()]) stop(id); }
  } });
  return {
    Date: virtual ? CallableDate : real.Date,
    setTimeout: start(false), setInterval: start(true), clearTimeout: stop, clearInterval: stop,
    fetch: virtual ? (input, init) => asked(real.fetch(input, init)) : real.fetch,
    finish(module) {
      const exported = module.exports.default ?? module.exports;
      const actions = Object.fromEntries(Object.entries(exported.actions).map(([id, action]) => [id, wrap(action)]));
      module.exports = { default: { ...exported, actions } };
    },
  };
})();
return ((Date, setTimeout, setInterval, clearTimeout, clearInterval, fetch) => {`;

const EPILOGUE = `
__goflow.finish(module);
})(__goflow.Date, __goflow.setTimeout, __goflow.setInterval, __goflow.clearTimeout, __goflow.clearInterval, __goflow.fetch);`;
