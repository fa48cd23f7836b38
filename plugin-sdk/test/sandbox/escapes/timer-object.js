// A timer is Node's Timeout object.
export default async () => { const timer = setTimeout(() => {}, 1); clearTimeout(timer); return typeof timer === 'number' ? null : timer.constructor.constructor('return process')(); };
