// A buffer that is taken away while it is used.
export default async () => { const buffer = new ArrayBuffer(8); structuredClone(buffer, { transfer: [buffer] }); const text = new TextDecoder().decode(buffer); return text === '' ? null : text; };
