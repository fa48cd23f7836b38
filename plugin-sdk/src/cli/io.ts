/** Where a command's words go: data to standard output, everything for people to standard error. */
export interface Io {
  /** Data that another program may read. */
  data(text: string): void;
  /** A line for the person at the terminal. */
  say(text: string): void;
  /** Shows on a terminal that work goes on once it has taken a while; call the result when it is done. */
  progress(what: string): () => void;
}

const SHOW_AFTER_MS = 400;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export function processIo(): Io {
  return {
    data: (text) => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`),
    say: (text) => void process.stderr.write(text.endsWith('\n') ? text : `${text}\n`),
    progress(what) {
      if (!process.stderr.isTTY) return () => {};
      const began = performance.now();
      let shown = false;
      const timer = setInterval(() => {
        const elapsed = performance.now() - began;
        if (elapsed < SHOW_AFTER_MS) return;
        shown = true;
        const frame = FRAMES[Math.floor(elapsed / 100) % FRAMES.length];
        process.stderr.write(`\r\u001b[K${frame} ${what} ${(elapsed / 1000).toFixed(1)} s`);
      }, 100);
      timer.unref();
      return () => {
        clearInterval(timer);
        if (shown) process.stderr.write('\r\u001b[K');
      };
    },
  };
}
