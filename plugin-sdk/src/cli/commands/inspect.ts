import type { Command } from '../command.ts';

/** `goflow-plugin inspect`: what a bundle is and asks for, without running it. */
export const inspect: Command = {
  name: 'inspect',
  summary: 'Show what a bundle file holds and asks for, without running anything of it.',
  arguments: [{ name: 'FILE', description: 'a .goflow.json file' }],
  options: [{ flags: '--json', description: 'print manifest, digest and files as JSON' }],
  example: 'goflow-plugin inspect dist/my-connector-1.0.0.goflow.json',
  async run(args, io) {
    const { inspectBundle } = await import('../inspect-bundle.ts');
    await inspectBundle(args.text('FILE'), args.flag('json'), io);
  },
};
