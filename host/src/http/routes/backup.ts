import { pipeline } from 'node:stream/promises';
import { GoflowError } from '../../core/errors.ts';
import { WRITTEN } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Call, Route } from '../route.ts';
import type { HttpServices } from '../services.ts';

/** A backup holds every tenant's data, so only who administers the whole host may have one. */
export const backupRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/api/backup',
    act: 'backup:create',
    hostWide: true,
    query: {},
    body: 'none',
    audit: { action: 'backup.create', describe: () => ({ target: null }) },
    doc: {
      id: 'createBackup',
      tag: 'Operations',
      summary: 'Back up the whole host while it works',
      description:
        'The database as of one moment and the uploaded bundles as a tar file, for `goflow restore`. The master key is not in it. A file without `backup.json` at its end was cut off.',
      answers: { 200: ['The backup.', { type: 'string', format: 'binary' }, 'application/x-tar'] },
      problems: [409, 507],
    },
    handle: backup,
  }),
];

async function backup({ backups }: HttpServices, call: Call): Promise<Reply> {
  if (backups === undefined) throw new GoflowError('NOT_FOUND', 'this host has nothing to back up');
  await using made = await backups.create(call.ctx);
  const name = `goflow-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}.tar`;
  call.res.writeHead(
    200,
    call.headers(['Content-Type', 'application/x-tar', 'Content-Disposition', `attachment; filename="${name}"`]),
  );
  // A client that goes away, or a host that shuts down, leaves a file without an end; the connection is broken then, so that it is noticed.
  await pipeline(made.archive, call.res, { signal: call.closing }).catch(() => call.res.destroy());
  return WRITTEN;
}
