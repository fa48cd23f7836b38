// A stream holds Node's controller.
export default async () => { const { body } = new Response('x'); return body.constructor.constructor('return process')(); };
