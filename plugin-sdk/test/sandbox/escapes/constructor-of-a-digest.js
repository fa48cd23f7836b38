// A digest is an object of Node.
export default async () => { const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(1)); return digest.constructor.constructor('return process')(); };
