// `this` of a plain function is the outer global.
export default async () => { const self = (function () { return this; })(); return self === undefined ? null : self.process ?? 'this'; };
