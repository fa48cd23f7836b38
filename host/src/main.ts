import { runCommandLine } from './cli/program.ts';

// Node's threads for look-ups, files and compression are four, of which look-ups may have half. Read when the first of them is needed.
process.env['UV_THREADPOOL_SIZE'] ??= '16';

// The exit is explicit: a host that has drained must end even if something still holds the event loop.
process.exit(await runCommandLine(process.argv.slice(2)));
