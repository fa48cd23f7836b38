// Begins to compute while it is loaded, and never stops; no call of it does anything.
void (async () => {
  for (;;) {
    await crypto.subtle.digest('SHA-256', new Uint8Array(1));
    for (const end = Date.now() + 20; Date.now() < end; );
  }
})();
module.exports = { actions: { main: { run: () => 'loaded' } } };
