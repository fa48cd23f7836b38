// Object.prototype can be changed for our code.
export default async () => { Object.prototype.toJSON = () => 'taken'; return {}.toJSON ?? null; };
