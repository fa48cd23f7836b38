/** How the work of a run that was ended from outside came to its end: JSON, written once, after the run's own end. */
export const ENDING = `
ALTER TABLE runs ADD COLUMN ending TEXT;
`;
