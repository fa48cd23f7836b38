import type { Command } from '../command.ts';

/** `goflow-plugin keygen`: a key pair to sign bundles with. */
export const keygen: Command = {
  name: 'keygen',
  summary: 'Make an Ed25519 key to sign bundles with.',
  options: [
    {
      flags: '--out <FILE>',
      description: 'file of the secret key (mode 0600); the public part goes to FILE.pub',
      required: true,
    },
  ],
  example: 'goflow-plugin keygen --out release.key',
  async run(args, io) {
    const { makeKeyFiles } = await import('../keys.ts');
    await makeKeyFiles(args.text('out'), io);
  },
};
