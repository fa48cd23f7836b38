import type { Command } from '../command.ts';

/** `goflow-plugin build`: from source to a bundle file. */
export const build: Command = {
  name: 'build',
  summary: 'Build the connector in this folder into one bundle file.',
  options: [
    { flags: '--out <DIR>', description: 'folder of the bundle (default: dist)' },
    { flags: '--entry <FILE>', description: 'entry file (default: src/index.ts)' },
    { flags: '--watch', description: 'build again after each change' },
    { flags: '--json', description: 'print what was built as JSON' },
  ],
  example: 'goflow-plugin build --out dist',
  async run(args, io) {
    const [{ buildOnce }, { watchAndBuild }] = await Promise.all([import('../build-once.ts'), import('../watch.ts')]);
    const options = { out: args.optional('out') ?? 'dist', entry: args.optional('entry'), json: args.flag('json') };
    if (args.flag('watch')) await watchAndBuild(options, io);
    else await buildOnce(options, io);
  },
};
