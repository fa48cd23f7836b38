// A reviver's `this` is an outer object.
export default async () => { let holder = null; JSON.parse('{"a":1}', function (key, value) { holder ??= this; return value; }); return holder.constructor.constructor('return process')(); };
