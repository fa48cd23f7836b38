/**
 * Times are integers: milliseconds since the epoch, which are a quarter of the bytes of their text in rows and indexes. JSON is text that the
 * client wrote and the client reads; the database never looks into it.
 *
 * `runs` has a rowid and a separate unique id: rows of about a kilobyte make a poor WITHOUT ROWID table, and every other index then holds
 * 8 bytes a row in place of 36. Rowids and ids both grow with time, so an insert touches the right edge of each tree.
 */
export const INITIAL = `
CREATE TABLE workflows (
  seq        INTEGER PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  tenant_id  TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  is_active  INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX workflows_by_tenant ON workflows (tenant_id);

-- Outlives its workflow: runs keep the version that they began with.
CREATE TABLE workflow_versions (
  tenant_id   TEXT    NOT NULL,
  workflow_id TEXT    NOT NULL,
  version     INTEGER NOT NULL,
  name        TEXT    NOT NULL,
  definition  TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX workflow_versions_key ON workflow_versions (workflow_id, tenant_id, version);

CREATE TABLE runs (
  seq               INTEGER PRIMARY KEY,
  id                TEXT    NOT NULL UNIQUE,
  tenant_id         TEXT    NOT NULL,
  workflow_id       TEXT    NOT NULL,
  workflow_version  INTEGER NOT NULL,
  status            TEXT    NOT NULL,
  attempt           INTEGER NOT NULL,
  created_at        INTEGER NOT NULL,
  started_at        INTEGER,
  finished_at       INTEGER,
  duration_ms       REAL,
  ended_by          TEXT,
  user_id           TEXT    NOT NULL,
  trace_id          TEXT    NOT NULL,
  parent_span_id    TEXT,
  trigger           TEXT    NOT NULL,
  parameters        TEXT    NOT NULL,
  steps             TEXT,
  error             TEXT,
  output            TEXT,
  sealed_parameters BLOB,
  last_logs         TEXT
) STRICT;
-- A list without a status merges the ranges of the six, which is cheaper than an index more on every write.
-- A run is in the one, then in the other two: no entry is ever moved, which is half of what an end would cost.
CREATE INDEX runs_unfinished  ON runs (tenant_id, status, created_at) WHERE status IN ('queued', 'running');
CREATE INDEX runs_by_tenant   ON runs (tenant_id, status, created_at) WHERE status NOT IN ('queued', 'running');
CREATE INDEX runs_by_workflow ON runs (workflow_id, tenant_id, status, created_at) WHERE status NOT IN ('queued', 'running');

-- Log lines that were written while the run went on, some at a time; those that come with its end are in runs.last_logs.
CREATE TABLE run_logs (
  run_seq   INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
  first_seq INTEGER NOT NULL,
  last_seq  INTEGER NOT NULL,
  lines     TEXT    NOT NULL,
  PRIMARY KEY (run_seq, first_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  tenant_id    TEXT    NOT NULL,
  workflow_id  TEXT    NOT NULL,
  key          TEXT    NOT NULL,
  request_hash BLOB    NOT NULL,
  run_id       TEXT    NOT NULL,
  wait_ms      INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- tenant_id NULL: for every tenant.
CREATE TABLE plugin_versions (
  seq          INTEGER PRIMARY KEY,
  name         TEXT    NOT NULL,
  version      TEXT    NOT NULL,
  tenant_id    TEXT,
  digest       TEXT    NOT NULL,
  manifest     TEXT    NOT NULL,
  file         TEXT    NOT NULL,
  installed_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX plugin_versions_key ON plugin_versions (name, version, ifnull(tenant_id, ''));

CREATE TABLE plugin_settings (
  seq            INTEGER PRIMARY KEY,
  name           TEXT    NOT NULL,
  tenant_id      TEXT,
  granted        TEXT,
  decided        TEXT,
  enabled        INTEGER NOT NULL,
  pinned_version TEXT
) STRICT;
CREATE UNIQUE INDEX plugin_settings_key ON plugin_settings (name, ifnull(tenant_id, ''));

CREATE TABLE credentials (
  seq        INTEGER PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  tenant_id  TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  plugin     TEXT    NOT NULL,
  sealed     BLOB    NOT NULL,
  is_default INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX credentials_by_name ON credentials (tenant_id, plugin, name);
CREATE INDEX credentials_by_tenant ON credentials (tenant_id);

CREATE TABLE api_keys (
  seq        INTEGER PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  hash       BLOB    NOT NULL UNIQUE,
  name       TEXT    NOT NULL,
  role       TEXT    NOT NULL,
  tenant_id  TEXT    NOT NULL,
  user_id    TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id);

CREATE TABLE plugin_storage (
  tenant_id TEXT NOT NULL,
  plugin    TEXT NOT NULL,
  key       TEXT NOT NULL,
  json      TEXT NOT NULL,
  PRIMARY KEY (tenant_id, plugin, key)
) STRICT, WITHOUT ROWID;

-- Data keys of the vault, wrapped by the master key.
CREATE TABLE vault_keys (
  name    TEXT PRIMARY KEY,
  wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;
`;
