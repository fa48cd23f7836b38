// Bytes made outside are Node Buffers, whose pool holds what others wrote.
export default async () => { const bytes = crypto.getRandomValues(new Uint8Array(8)); return bytes.constructor.name !== 'Uint8Array' || bytes.buffer.byteLength !== 8 ? bytes.constructor.poolSize ?? 'pool' : null; };
