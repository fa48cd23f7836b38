// HasInstance runs inside a check and sees an outer object.
export default async () => { let seen = null; const trap = { [Symbol.hasInstance](value) { seen = value; return true; } }; void ({} instanceof trap); await fetch('https://a.example', { signal: null }).catch(() => {}); return Object.keys(seen).length > 0 ? seen : null; };
