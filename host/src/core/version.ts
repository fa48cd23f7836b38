/** The version of the host's package; a test compares the two. */
export const VERSION = '0.1.0';
