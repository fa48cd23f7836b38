// Direct eval evaluates at all.
export default async () => { const evaluate = eval; return evaluate('1 + 1'); };
