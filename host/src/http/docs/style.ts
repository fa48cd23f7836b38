/** The style of the page at /docs. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --back: light-dark(#fbfbfa, #16181c); --card: light-dark(#ffffff, #1d2026); --line: light-dark(#e4e4e0, #30343c);
  --ink: light-dark(#1c1e21, #e8e8e4); --soft: light-dark(#63666d, #9a9ea8); --code: light-dark(#f3f3ef, #12141a);
  --link: light-dark(#0b5cad, #7ab8ff);
  --get: light-dark(#1f6f43, #6fd39b); --post: light-dark(#0b5cad, #7ab8ff); --put: light-dark(#8a5a00, #e8b95a);
  --patch: light-dark(#6b3fa0, #c3a1f5); --delete: light-dark(#b3261e, #ff9a92);
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.55 system-ui, sans-serif; }
.page { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 84rem; margin: 0 auto; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line); }
main { padding: 1.5rem 2rem 6rem; }
h1 { font-size: 1.35rem; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: .8rem; margin: 1.25rem 0 .4rem; color: var(--soft); font-weight: 600; }
p { margin: .4rem 0; }
a { color: inherit; text-decoration: none; }
nav a { display: block; padding: .15rem .4rem; border-radius: .3rem; color: var(--soft); font-size: .86rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
nav a:hover, nav a:focus-visible { color: var(--ink); background: var(--code); }
nav strong { display: block; margin: 1.1rem 0 .2rem; padding-left: .4rem; font-size: .8rem; }
.soft { color: var(--soft); }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: 1rem 0; }
input { font: inherit; font-size: .9rem; padding: .4rem .6rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card); color: var(--ink); min-width: 0; }
nav input { width: 100%; margin-top: 1rem; }
form input { flex: 1 1 16rem; }
button { font: inherit; font-size: .85rem; padding: .4rem .8rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card); color: var(--ink); cursor: pointer; }
button:hover { border-color: var(--soft); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
details.op { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; }
details.op > summary { display: flex; gap: .75rem; align-items: baseline; padding: .55rem .8rem; cursor: pointer; list-style: none; }
details.op > summary::-webkit-details-marker { display: none; }
details.op > div { padding: 0 1rem 1rem; border-top: 1px solid var(--line); }
.verb { flex: none; width: 4.2rem; font: 600 .78rem/1.6 ui-monospace, monospace; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .patch { color: var(--patch); } .delete { color: var(--delete); }
.path { font: .86rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
.what { margin-left: auto; color: var(--soft); font-size: .86rem; text-align: right; }
code, pre { font: .83rem/1.5 ui-monospace, monospace; }
code { background: var(--code); padding: .05rem .3rem; border-radius: .25rem; overflow-wrap: anywhere; }
pre { background: var(--code); padding: .7rem .9rem; border-radius: .4rem; overflow-x: auto; margin: .3rem 0; }
.copy { position: relative; }
.copy button { position: absolute; top: .35rem; right: .35rem; padding: .1rem .5rem; font-size: .75rem; }
table { width: 100%; border-collapse: collapse; font-size: .87rem; }
td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; }
td:first-child { white-space: nowrap; }
.need { color: var(--delete); font-size: .78rem; margin-left: .3rem; }
.schema { margin-left: 1rem; border-left: 2px solid var(--line); padding-left: .8rem; }
.schema > summary { cursor: pointer; color: var(--soft); font-size: .83rem; }
@media (max-width: 56rem) {
  .page { display: block; }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
  nav .links { display: none; }
  main { padding: 1rem; }
  .what { display: none; }
}
`;
