/** What a run reached and its retries, as JSON; null for the many that have neither. Lists never read it. */
export const RUN_TRAIL = `
ALTER TABLE runs ADD COLUMN trail TEXT;
`;
