// A species constructor receives what the outer realm maps.
export default async () => { class Spy extends Uint8Array { static get [Symbol.species]() { throw new Error('asked'); } } await crypto.subtle.digest('SHA-1', new Spy(4)); return null; };
