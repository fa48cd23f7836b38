// An error of crypto is Node's DOMException.
export default async () => { try { await crypto.subtle.importKey('raw', new Uint8Array(1), 'nope', true, []); } catch (error) { return error.constructor.constructor('return process')(); } };
