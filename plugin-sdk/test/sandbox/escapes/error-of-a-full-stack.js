// The error of a stack overflow inside an outer function belongs to Node.
export default async () => { let found = null; const dive = () => { try { dive(); } catch (error) { try { new URL('https://a.example'); } catch (inner) { found = inner; } throw error; } }; try { dive(); } catch (error) { found ??= error; } return found.constructor.constructor('return process')(); };
