import type { Command } from 'commander';
import { CommandFailure } from '../failure.ts';
import { connect, withConnection, type ConnectionFlags } from '../connection.ts';
import { printJson, say } from '../output.ts';
import { messageOf } from '../../core/errors.ts';

export function addBackupCommands(program: Command): void {
  withConnection(
    program
      .command('backup')
      .argument('<file>', 'where to write it; an earlier file of that name is replaced when the new one is whole')
      .description('copy everything that a running host stores to a file (bootstrap key)'),
  )
    .addHelpText(
      'after',
      '\nThe master key is not in it: keep that apart, without it the credentials in the backup cannot be opened.\n\nExample:\n  goflow backup /var/backups/goflow.tar --key "$GOFLOW_ADMIN_KEY"',
    )
    .action(async (file: string, flags: ConnectionFlags) => {
      const { downloadBackup } = await import('../download-backup.ts');
      const { created_at, files } = await downloadBackup(connect(flags), file);
      if (flags.json === true) return printJson({ file, created_at, files: files as never });
      say(`${file}: ${files.length} files as of ${created_at}; the master key is not in it`);
    });

  program
    .command('restore')
    .argument('<file>', 'what `goflow backup` wrote')
    .description('put a backup into an empty data directory')
    .option('--data-dir <value>', 'the data directory (GOFLOW_DATA_DIR, default ./.goflow)')
    .addHelpText(
      'after',
      '\nRuns that had not ended when the backup was made begin again at the next start.\n\nExample:\n  goflow restore /var/backups/goflow.tar --data-dir /var/lib/goflow',
    )
    .action(async (file: string, flags: { dataDir?: string }) => {
      const { readConfig } = await import('../../core/config.ts');
      const { restoreBackup } = await import('../../backup/restore-backup.ts');
      try {
        const { dataDir, masterKey } = readConfig(
          process.env,
          flags.dataDir === undefined ? {} : { 'data-dir': flags.dataDir },
        );
        const { summary, hasMasterKey } = await restoreBackup(file, dataDir);
        say(`${dataDir} holds the backup of ${summary.created_at}`);
        if (!hasMasterKey && masterKey === undefined)
          say('start the host with the GOFLOW_MASTER_KEY of the host that was backed up, or put its master.key there');
      } catch (error) {
        throw new CommandFailure(messageOf(error));
      }
    });
}
