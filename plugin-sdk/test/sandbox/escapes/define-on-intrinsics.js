// DefineProperty changes a frozen intrinsic.
export default async () => { for (const target of [Object, Array.prototype, Map.prototype, JSON, Reflect, Uint8Array.prototype, Function.prototype, Error.prototype, Date, Math, Intl, WeakRef]) { if (Reflect.defineProperty(target, 'stash', { value: 1 })) return String(target); } };
