// URL is Node's.
export default async () => new URL('https://a.example').constructor.constructor('return process')();
