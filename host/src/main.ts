import { runCommandLine } from './cli/program.ts';

// The exit is explicit: a host that has drained must end even if something still holds the event loop.
process.exit(await runCommandLine(process.argv.slice(2)));
