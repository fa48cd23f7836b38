/**
 * A backup is a tar file: `goflow.db`, then the uploaded bundles, then `backup.json` with the digest of each. That comes last, so that a backup which was
 * cut off is not taken for a whole one.
 *
 * The master key is not in it, whether it is a file of the data directory or not: a backup then opens no credential by itself, and can lie where backups lie.
 */
export const BACKUP_FORMAT = 'goflow-backup/1';
export const SUMMARY_FILE = 'backup.json';
export const BUNDLES_DIR = 'bundles';
export const BUNDLE_NAME = /^[0-9a-f]{64}\.goflow\.json$/;

export interface BackupSummary {
  readonly format: typeof BACKUP_FORMAT;
  /** Of the GoFlow that wrote it. */
  readonly version: string;
  readonly created_at: string;
  readonly files: readonly BackupFile[];
}

export interface BackupFile {
  readonly name: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}
