// A made-up key stands for another's.
export default async () => { const fake = Object.create(CryptoKey.prototype); return await crypto.subtle.exportKey('raw', fake); };
