// Encoded text is a slice of a pool.
export default async () => { const { buffer, byteLength } = new TextEncoder().encode('a'); return buffer.byteLength === byteLength ? null : 'pool'; };
