// A proxy as fetch's init sees who reads it.
export default async () => { let receiver = null; const init = new Proxy({}, { get(_target, key, self) { receiver = self; return undefined; } }); await fetch('https://a.example', init).catch(() => {}); return receiver === init ? null : 'receiver'; };
