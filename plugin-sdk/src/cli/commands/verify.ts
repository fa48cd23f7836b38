import type { Command } from '../command.ts';

/** `goflow-plugin verify`: who signed a bundle. */
export const verify: Command = {
  name: 'verify',
  summary: 'Check that a bundle file is signed by a key.',
  arguments: [{ name: 'FILE', description: 'a .goflow.json file' }],
  options: [{ flags: '--key <FILE>', description: 'public key (FILE.pub of goflow-plugin keygen)', required: true }],
  example: 'goflow-plugin verify dist/my-connector-1.0.0.goflow.json --key release.key.pub',
  async run(args, io) {
    const { verifyBundleFile } = await import('../keys.ts');
    await verifyBundleFile(args.text('FILE'), args.text('key'), io);
  },
};
