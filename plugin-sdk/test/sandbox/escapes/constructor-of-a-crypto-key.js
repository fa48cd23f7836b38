// A CryptoKey is Node's, with its handle in a symbol.
export default async () => { const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']); return Object.getOwnPropertySymbols(key).length > 0 ? 'symbols' : key.constructor.constructor('return process')(); };
