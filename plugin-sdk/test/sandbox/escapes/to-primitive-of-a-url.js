// ToPrimitive is called with outer code on the stack and throws through it.
export default async () => { let deep = null; const value = { [Symbol.toPrimitive]() { try { null.x; } catch (error) { deep = error.stack; } return 'https://a.example'; } }; new URL(value); return /node:|file:|[/]\w+[/]/.test(String(deep)) ? deep : null; };
