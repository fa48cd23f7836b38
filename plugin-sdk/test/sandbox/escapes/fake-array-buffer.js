// A view that lies about its buffer makes the outer realm read elsewhere.
export default async () => { const view = new Uint8Array([1, 2, 3]); Object.defineProperty(view, 'byteLength', { value: 4096 }); Object.defineProperty(view, 'buffer', { value: new ArrayBuffer(4096) }); const { byteLength } = await new Blob([view]).arrayBuffer(); return byteLength === 3 ? null : byteLength; };
