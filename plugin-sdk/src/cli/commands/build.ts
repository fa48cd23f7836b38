import type { Command } from '../command.ts';

/** `goflow-plugin build`: from source to a bundle file. */
export const build: Command = {
  name: 'build',
  summary: 'Build the connector in this folder into one bundle file.',
  options: [
    { flags: '--out <DIR>', description: 'folder of the bundle (default: dist)' },
    { flags: '--entry <FILE>', description: 'entry file (default: src/index.ts)' },
    { flags: '--sbom', description: 'put a software bill of materials (CycloneDX) into the bundle, and beside it' },
    { flags: '--watch', description: 'build again after each change' },
    { flags: '--json', description: 'print what was built as JSON' },
  ],
  example: 'goflow-plugin build --out dist --sbom',
  async run(args, io) {
    const { withEngine } = await import('../sandbox.ts');
    await withEngine(async (engine) => {
      const options = {
        out: args.optional('out') ?? 'dist',
        entry: args.optional('entry'),
        sbom: args.flag('sbom'),
        json: args.flag('json'),
      };
      if (args.flag('watch')) {
        const { watchAndBuild } = await import('../watch.ts');
        await watchAndBuild(engine, options, io);
      } else {
        const { buildOnce } = await import('../build-once.ts');
        await buildOnce(engine, options, io);
      }
    });
  },
};
