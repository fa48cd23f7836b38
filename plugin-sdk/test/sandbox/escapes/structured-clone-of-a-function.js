// StructuredClone lets functions through.
export default async () => structuredClone({ f() {} });
