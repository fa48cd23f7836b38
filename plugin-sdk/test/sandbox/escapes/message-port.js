// A MessagePort is Node's and talks to the engine.
export default async () => { const { port1 } = new MessageChannel(); return typeof port1.ref === 'function' || typeof port1.unref === 'function' ? port1 : port1.constructor.constructor('return process')(); };
