// A weak reference reaches what the guest half holds.
export default async (ctx) => { const made = new WeakRef(ctx).deref(); return made === ctx ? null : made; };
