# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The style of all pages: light and dark, on a screen and on paper."""

from __future__ import annotations

STYLE = """:root { --paper:#faf9f7; --card:#fff; --ink:#1f2428; --dim:#6a7178; --line:#e6e3de; --good:#2b7555; --goodbg:#e7f2ec; --soft:#3f6ea5;
--softbg:#e8eff7;
  --warn:#8f6000; --warnbg:#fbf1da; --bad:#b3372f; --badbg:#fbe9e7; --quiet:#666d74; --quietbg:#efeeeb; color-scheme:light dark }
@media (prefers-color-scheme:dark) { :root { --paper:#15181b; --card:#1c2024; --ink:#e4e6e8; --dim:#969da4; --line:#2d3338; --good:#69c29a;
--goodbg:#1b3329;
  --soft:#8cb5e6; --softbg:#1d2c3d; --warn:#e2b650; --warnbg:#37301b; --bad:#f0877e; --badbg:#3d2220; --quiet:#929aa1; --quietbg:#262b2f } }
* { box-sizing:border-box } body { margin:0; background:var(--paper); color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif }
main { max-width:1060px; margin:0 auto; padding:56px 28px 80px } h1 { font-size:40px; line-height:1.1; letter-spacing:-.02em; font-weight:650;
margin:4px 0 6px }
h2 { font-size:20px; letter-spacing:-.01em; font-weight:620; margin:52px 0 14px } .eyebrow { color:var(--dim); font-size:14px; font-weight:560 }
p { margin:0 0 10px } .dim { color:var(--dim) } a { color:var(--soft) }
.verdict { display:flex; gap:16px; align-items:center; margin:28px 0 0; padding:20px 24px; border-radius:14px; font-size:20px; line-height:1.35;
font-weight:560 }
.verdict b { flex:none; width:38px; height:38px; border-radius:50%; display:grid; place-items:center; color:var(--card); font-size:20px }
.good { color:var(--good) } .soft { color:var(--soft) } .warn { color:var(--warn) } .bad { color:var(--bad) } .quiet { color:var(--quiet) }
.verdict.none { background:var(--card) } .verdict.none b { background:var(--dim) }
.verdict.good { background:var(--goodbg) } .verdict.good b { background:var(--good) } .verdict.warn { background:var(--warnbg) }
.verdict.warn b { background:var(--warn) } .two { display:flex; flex-wrap:wrap; gap:8px; margin:12px 0 0 }
.numbers { display:grid; grid-template-columns:repeat(auto-fit,minmax(150px,1fr)); gap:12px; margin:16px 0 0 } .numbers div { background:var(--card);
border:1px solid var(--line); border-radius:12px; padding:14px 18px }
.numbers strong { display:block; font-size:24px; font-weight:620; letter-spacing:-.01em; font-variant-numeric:tabular-nums }
.numbers span { color:var(--dim); font-size:14px }
.card { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:6px 20px; overflow-x:auto }
.todo { border-left:4px solid var(--warn) } .linger { border-left:4px solid var(--soft) }
ul.plain { list-style:none; margin:0; padding:0 } ul.plain li { padding:12px 0; border-top:1px solid var(--line); overflow-wrap:anywhere }
ul.plain li:first-child { border:0 }
table { width:100%; border-collapse:collapse; font-size:15px } th { text-align:left; font-weight:560; color:var(--dim); font-size:13px;
padding:10px 14px 8px 0; border-bottom:1px solid var(--line) }
td { padding:10px 14px 10px 0; vertical-align:top; border-top:1px solid var(--line); overflow-wrap:anywhere } tr:first-child td { border-top:0 }
td:last-child, th:last-child { padding-right:0 }
td.n { white-space:nowrap; font-variant-numeric:tabular-nums } .sys { margin:0 0 12px } .sys h3 { font-size:16px; font-weight:620; margin:14px 0 2px;
display:flex; gap:10px; align-items:baseline } .sys h3 small { font-weight:400; color:var(--dim) }
.pill { display:inline-block; padding:1px 9px; border-radius:99px; font-size:13.5px; font-weight:560; white-space:nowrap }
.pill.good { background:var(--goodbg) } .pill.soft { background:var(--softbg) } .pill.warn { background:var(--warnbg) }
.pill.bad { background:var(--badbg) } .pill.quiet { background:var(--quietbg) }
.change { font-size:14px; color:var(--dim) } .change b { color:var(--ink); font-weight:520 }
code, .mono { font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace; overflow-wrap:anywhere }
dl { display:grid; grid-template-columns:max-content 1fr; gap:6px 24px; margin:12px 0; font-size:15px } dt { color:var(--dim) } dd { margin:0;
overflow-wrap:anywhere }
svg { display:block; width:100%; min-width:640px; height:auto } svg text { font:13px system-ui,sans-serif; fill:var(--dim) }
svg .name { fill:var(--ink) } svg .grid { stroke:var(--line) } svg .b { rx:4 }
svg .b.good { fill:var(--good) } svg .b.soft { fill:var(--soft) } svg .b.warn { fill:var(--warn) } svg .b.bad { fill:var(--bad) }
svg .b.quiet { fill:var(--quiet) } .legend { display:flex; flex-wrap:wrap; gap:4px 18px; padding:4px 0 10px; font-size:13.5px }
@media (max-width:600px) { main { padding:28px 16px 48px } h1 { font-size:30px } .verdict { font-size:17px; padding:16px }
dl { grid-template-columns:1fr; gap:0 } dd { margin-bottom:8px }
.stack th { display:none } .stack tr { display:block; padding:10px 0; border-top:1px solid var(--line) } .stack tr:first-child { border-top:0 }
.stack tr:first-child:has(th) + tr { border-top:0 } .stack tr:has(th) { padding:0 }
.stack td { display:block; border:0; padding:1px 0; width:auto !important; text-align:left !important; white-space:normal }
.stack td:empty { display:none } .stack td[data-l]::before { content:attr(data-l) ": "; color:var(--dim) } .sys h3 { flex-wrap:wrap; gap:2px 10px } }
@media print { @page { size:A4; margin:16mm 14mm } :root { --paper:#fff; --card:#fff; --ink:#000; --dim:#555; --line:#ccc; --good:#1d6b49;
--goodbg:#fff; --soft:#2d5a8e; --softbg:#fff; --warn:#7a5200; --warnbg:#fff; --bad:#9c2a23; --badbg:#fff; --quiet:#666; --quietbg:#fff;
color-scheme:light }
  body { font-size:10.5pt } td { overflow-wrap:break-word } .change { overflow-wrap:anywhere } a { color:inherit }
.sys.long { break-inside:auto } .sys h3, tr:has(th), .sys.long tr:first-child, .todo > p { break-after:avoid }
main { padding:0; max-width:none } h1 { font-size:24pt } h2 { break-after:avoid; margin-top:22pt }
.sys, .numbers, .verdict, li, tr, svg { break-inside:avoid } .verdict { border:1px solid var(--line) } .pill { border:1px solid var(--line) }
.card { overflow:visible } * { print-color-adjust:exact; -webkit-print-color-adjust:exact } svg { min-width:0 } table { font-size:9.5pt } }
"""
