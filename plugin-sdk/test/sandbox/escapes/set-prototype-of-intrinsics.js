// An intrinsic gets another prototype.
export default async () => (Reflect.setPrototypeOf(Array.prototype, { escaped: true }) || Reflect.setPrototypeOf(Function.prototype, {}) ? 'changed' : null);
