import type { Db } from '../db.ts';
import { Refusal } from '../failure.ts';
import type { PluginSettingsRow, PluginVersionRow } from '../rows.ts';

const VERSION = 'name, version, tenant_id, digest, manifest, file, installed_at';
const SETTINGS = 'name, tenant_id, granted, decided, enabled, pinned_version';

/** The same version with the same digest again changes nothing. */
export function addPluginVersion(db: Db, row: PluginVersionRow): void {
  const [name, version, tenantId, digest] = row;
  const known = db.row<readonly [string]>(
    "SELECT digest FROM plugin_versions WHERE name = ? AND version = ? AND ifnull(tenant_id, '') = ifnull(?, '')",
    [name, version, tenantId],
  );
  if (known !== null && known[0] !== digest) {
    throw new Refusal('CONFLICT', `plugin ${name} ${version} is installed with another digest (${known[0]})`);
  }
  if (known === null) db.change(`INSERT INTO plugin_versions (${VERSION}) VALUES (?, ?, ?, ?, ?, ?, ?)`, row);
}

/** Answers what was removed, so that the files can follow. */
export function removePluginVersions(
  db: Db,
  args: { readonly tenantId: string | null; readonly name: string },
): readonly PluginVersionRow[] {
  const key = [args.name, args.tenantId];
  const where = "name = ? AND ifnull(tenant_id, '') = ifnull(?, '')";
  const rows = db.rows<PluginVersionRow>(`SELECT ${VERSION} FROM plugin_versions WHERE ${where} ORDER BY seq`, key);
  db.change(`DELETE FROM plugin_versions WHERE ${where}`, key);
  return rows;
}

export function listPluginVersions(db: Db): readonly PluginVersionRow[] {
  return db.rows<PluginVersionRow>(`SELECT ${VERSION} FROM plugin_versions ORDER BY seq`);
}

export function putPluginSettings(db: Db, row: PluginSettingsRow): void {
  db.change(
    `INSERT INTO plugin_settings (${SETTINGS}) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (name, ifnull(tenant_id, ''))
     DO UPDATE SET granted = excluded.granted, decided = excluded.decided, enabled = excluded.enabled,
       pinned_version = excluded.pinned_version`,
    row,
  );
}

export function listPluginSettings(db: Db): readonly PluginSettingsRow[] {
  return db.rows<PluginSettingsRow>(`SELECT ${SETTINGS} FROM plugin_settings ORDER BY seq`);
}
