import type { Command } from '../command.ts';

/** `goflow-plugin sign`: adds a signature to a bundle. */
export const sign: Command = {
  name: 'sign',
  summary: 'Add a signature to a bundle file.',
  arguments: [{ name: 'FILE', description: 'a .goflow.json file; it is rewritten' }],
  options: [{ flags: '--key <FILE>', description: 'secret key of goflow-plugin keygen', required: true }],
  example: 'goflow-plugin sign dist/my-connector-1.0.0.goflow.json --key release.key',
  async run(args, io) {
    const { signBundleFile } = await import('../keys.ts');
    await signBundleFile(args.text('FILE'), args.text('key'), io);
  },
};
