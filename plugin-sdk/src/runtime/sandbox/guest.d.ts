/** The guest half (`guest/main.ts`) as script text; the build puts it in. */
declare module 'goflow:guest' {
  const source: string;
  export default source;
}
