// A thenable is awaited by the outer realm, which hands it its own functions.
export default async () => { const given = await new Promise((resolve) => { const thenable = { then(yes, no) { resolve([yes, no]); yes(1); } }; void (async () => await thenable)(); }); return given[0].constructor('return process')(); };
