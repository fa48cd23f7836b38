/**
 * Keys that expire, workflow ids that are the tenant's own, and the audit trail.
 *
 * An id that is unique for the whole host tells every tenant which ids the others use, so it is unique per tenant instead. The audit trail is
 * append-only for this program too: the triggers refuse what a mistake or an injected statement would do to it.
 */
export const IDENTITY = `
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;

CREATE TABLE workflows_new (
  seq        INTEGER PRIMARY KEY,
  id         TEXT    NOT NULL,
  tenant_id  TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  is_active  INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO workflows_new SELECT seq, id, tenant_id, version, is_active, created_at FROM workflows;
DROP TABLE workflows;
ALTER TABLE workflows_new RENAME TO workflows;
CREATE UNIQUE INDEX workflows_key ON workflows (id, tenant_id);
CREATE INDEX workflows_by_tenant ON workflows (tenant_id);

CREATE TABLE audit (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  id        TEXT    NOT NULL UNIQUE,
  at        INTEGER NOT NULL,
  tenant_id TEXT    NOT NULL,
  user_id   TEXT    NOT NULL,
  key_id    TEXT,
  role      TEXT    NOT NULL,
  action    TEXT    NOT NULL,
  target    TEXT,
  outcome   TEXT    NOT NULL,
  code      TEXT,
  trace_id  TEXT    NOT NULL,
  details   TEXT
) STRICT;
CREATE INDEX audit_by_tenant ON audit (tenant_id, seq);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
-- INSERT OR REPLACE deletes without asking the trigger below.
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id OR seq = NEW.seq)
BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
`;
