/** The style of the page. It is inside the page, and the content security policy allows exactly it, by its hash. */
import { createHash } from 'node:crypto';
import { ownHtml, type Html } from './html.ts';

/** Light and dark, narrow and wide; every pair of colors has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3). */
const STYLE = `
:root{color-scheme:light dark;--text:#1b1f24;--soft:#57606a;--page:#f6f7f9;--card:#fff;--line:#8b939c;--hair:#d8dde3;
--accent:#0b5cad;--on-accent:#fff;--good:#116329;--good-page:#e6f4ea;--warn:#7a4b00;--warn-page:#fff4dc;--bad:#a0111f;
--bad-page:#fdecee}
@media (prefers-color-scheme:dark){:root{--text:#e8ebef;--soft:#a6b0bb;--page:#14171b;--card:#1d2126;--line:#7d8792;
--hair:#343a41;--accent:#7ab7f5;--on-accent:#0b1520;--good:#7fd797;--good-page:#16301f;--warn:#f0c265;
--warn-page:#33280f;--bad:#ff9aa2;--bad-page:#3a191d}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main{max-width:62rem;margin:0 auto;padding:1rem 1.25rem}
header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline;justify-content:space-between;padding-bottom:0}
main{display:grid;gap:1rem;padding-bottom:3rem}
h1{font-size:1.6rem;margin:0}
h2{font-size:1.15rem;margin:0 0 .6rem}
h3{font-size:1rem;margin:1rem 0 .3rem}
p{margin:.4rem 0}
section,.message{background:var(--card);border:1px solid var(--hair);border-radius:.6rem;padding:1rem 1.25rem}
.message{border-inline-start:.4rem solid var(--accent)}
.message:focus{outline:none}
.banner{border:1px solid;border-radius:.4rem;padding:.6rem .9rem}
.good{background:var(--good-page);border-color:var(--good)}
.warn{background:var(--warn-page);border-color:var(--warn)}
.bad{background:var(--bad-page);border-color:var(--bad)}
.state{font-size:1.3rem;font-weight:600;margin:0}
.good .state{color:var(--good)}
.warn .state,.warn h2{color:var(--warn)}
.bad .state{color:var(--bad)}
.soft,.detail{color:var(--soft)}
.detail{font-size:.9rem}
.warn .detail,.bad .detail{color:inherit}
dl{display:grid;grid-template-columns:minmax(8rem,14rem) 1fr;gap:.3rem 1rem;margin:.8rem 0 0}
dt{color:var(--soft)}
.good dt,.warn dt,.bad dt{color:inherit}
dd{margin:0}
ul{margin:.3rem 0;padding-inline-start:1.3rem}
li{margin:.3rem 0}
code{font:.9rem/1.5 ui-monospace,monospace}
.detail code{padding:0 .3rem;border:1px solid var(--hair);border-radius:.3rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:start;vertical-align:top;padding:.4rem .6rem .4rem 0;border-bottom:1px solid var(--hair)}
tbody th{font-weight:400;color:var(--soft);overflow-wrap:normal}
.changed td:last-child{font-weight:600}
.mark{display:inline-block;padding:0 .4rem;border:1px solid var(--warn);border-radius:.3rem;
font-size:.8rem;font-weight:400;color:var(--warn);background:var(--warn-page)}
label{display:block;font-weight:600;margin-top:.9rem}
textarea,input{width:100%;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:.4rem;
padding:.5rem;font:inherit}
textarea{min-height:11rem;resize:vertical;font:.85rem/1.4 ui-monospace,monospace}
input[type=password],input[type=text]{max-width:24rem}
button,.button{display:inline-block;margin:1rem .6rem 0 0;padding:.6rem 1.1rem;border:1px solid var(--accent);
border-radius:.4rem;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;cursor:pointer;
text-decoration:none}
.button{background:none;color:var(--accent)}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media (max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}header,main{padding-inline:.75rem}
section,.message{padding:.8rem .9rem}table{font-size:.85rem}button,.button{width:100%;text-align:center}}
@media (forced-colors:active){section,.message{border:1px solid}}
`;

/** Nothing may come between the tags and the text: the hash is of exactly this. */
export const STYLE_ELEMENT: Html = ownHtml(`<style>${STYLE}</style>`);

/** For `style-src`. */
export const STYLE_HASH: string = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;
