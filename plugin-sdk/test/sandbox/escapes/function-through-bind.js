// A bound or applied constructor is not the refused one.
export default async () => Function.prototype.constructor.bind(null, 'return process')()();
