import { defineEndowment } from './endowment.ts';

const LONGEST_MS = 2 ** 31 - 1;
/** Steps of a connector's clock in a millisecond: as coarse as a browser's, so that it shows no cache misses of its neighbours. */
const CLOCK_STEPS = 10;

/** Timers stay out here; each belongs to a call and goes with it. */
export const timers = defineEndowment({
  names: ['setTimer', 'clearTimer', 'now', 'timeOrigin'],
  make(scope) {
    const running = new Map<number, () => void>();
    let last = 0;
    function stop(timer: number): void {
      running.get(timer)?.();
    }
    return {
      values: {
        setTimer(key, ms, repeat) {
          const call = scope.call(key);
          if (call === undefined) return 0;
          const timer = ++last;
          const delay = Math.min(Math.max(ms, 0), LONGEST_MS);
          const handle = repeat ? setInterval(fire, delay) : setTimeout(fire, delay);
          const disown = call.own(() => stop(timer));
          running.set(timer, () => {
            running.delete(timer);
            disown();
            clearTimeout(handle);
          });
          function fire(): void {
            if (!repeat) stop(timer);
            if (!call!.ended) scope.within(call!, () => scope.guest().fire(timer));
          }
          return timer;
        },
        clearTimer(_key, timer) {
          stop(timer);
        },
        now() {
          return Math.floor(performance.now() * CLOCK_STEPS) / CLOCK_STEPS;
        },
        timeOrigin() {
          return performance.timeOrigin;
        },
      },
      dispose() {
        for (const timer of running.keys()) stop(timer);
      },
    };
  },
});
