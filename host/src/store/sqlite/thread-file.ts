/**
 * Where the store thread's file is. The bundle has it in `dist/` under its own name, this module in `dist/` or in one of the chunks beside
 * it; from source it is the TypeScript file itself, whose types Node strips.
 */
export function threadFile(): URL {
  if (import.meta.url.endsWith('.ts')) return new URL('./thread.ts', import.meta.url);
  const inChunk = /\/chunks\/[^/]*$/.test(import.meta.url);
  return new URL(inChunk ? '../store-thread.js' : './store-thread.js', import.meta.url);
}
