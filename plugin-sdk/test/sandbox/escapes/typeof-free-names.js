// The bundle's function sees names of the scopes around it.
export default async () => { const names = [typeof goflowOuter, typeof goflowGuest, typeof process, typeof require, typeof Compartment, typeof lockdown, typeof harden].filter((type) => type !== 'undefined'); return names.length > 0 ? names : null; };
