import type { Command } from './command.ts';
import { build } from './commands/build.ts';
import { check } from './commands/check.ts';
import { dev } from './commands/dev.ts';
import { init } from './commands/init.ts';
import { inspect } from './commands/inspect.ts';
import { keygen } from './commands/keygen.ts';
import { publish } from './commands/publish.ts';
import { run } from './commands/run.ts';
import { sign } from './commands/sign.ts';
import { test } from './commands/test.ts';
import { verify } from './commands/verify.ts';

/** Every command, in the order of an author's day. */
export const COMMANDS: readonly Command[] = [
  init,
  dev,
  build,
  check,
  run,
  test,
  inspect,
  keygen,
  sign,
  verify,
  publish,
];
