/** Until when the ticks of a scheduled workflow have been seen to, in milliseconds since the epoch. The schedule itself is in the workflow's definition. */
export const SCHEDULES = `
CREATE TABLE schedules (
  tenant_id   TEXT    NOT NULL,
  workflow_id TEXT    NOT NULL,
  last_tick   INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id)
) STRICT, WITHOUT ROWID;
`;
