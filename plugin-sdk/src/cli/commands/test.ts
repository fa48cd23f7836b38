import type { Command } from '../command.ts';

/** `goflow-plugin test`: the project's own tests. */
export const test: Command = {
  name: 'test',
  summary: "Run the project's tests with vitest, the project's own or the one that comes along.",
  example: 'goflow-plugin test',
  async run(_args, io) {
    const { testProject } = await import('../test-project.ts');
    await testProject(io);
  },
};
