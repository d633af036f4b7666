# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The template of the record's page."""
from __future__ import annotations

TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ kind }}: {{ r.person.name }}</title>
<style>
:root { --paper:#faf9f7; --card:#fff; --ink:#1f2428; --dim:#6a7178; --line:#e6e3de; --good:#2f7d5b; --goodbg:#e7f2ec; --soft:#3f6ea5;
--softbg:#e8eff7;
  --warn:#9a6700; --warnbg:#fbf1da; --bad:#b3372f; --badbg:#fbe9e7; --quiet:#8b9299; --quietbg:#efeeeb; color-scheme:light dark }
@media (prefers-color-scheme:dark) { :root { --paper:#15181b; --card:#1c2024; --ink:#e4e6e8; --dim:#969da4; --line:#2d3338; --good:#69c29a;
--goodbg:#1b3329;
  --soft:#8cb5e6; --softbg:#1d2c3d; --warn:#e2b650; --warnbg:#37301b; --bad:#f0877e; --badbg:#3d2220; --quiet:#7d858c; --quietbg:#262b2f } }
* { box-sizing:border-box } body { margin:0; background:var(--paper); color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif }
main { max-width:1060px; margin:0 auto; padding:56px 28px 80px } h1 { font-size:40px; line-height:1.1; letter-spacing:-.02em; font-weight:650;
margin:4px 0 6px }
h2 { font-size:20px; letter-spacing:-.01em; font-weight:620; margin:52px 0 14px } .eyebrow { color:var(--dim); font-size:14px; font-weight:560 }
p { margin:0 0 10px } .dim { color:var(--dim) }
.verdict { display:flex; gap:16px; align-items:center; margin:28px 0 0; padding:20px 24px; border-radius:14px; font-size:20px; line-height:1.35;
font-weight:560 }
.verdict b { flex:none; width:38px; height:38px; border-radius:50%; display:grid; place-items:center; color:var(--card); font-size:20px }
.good { color:var(--good) } .soft { color:var(--soft) } .warn { color:var(--warn) } .bad { color:var(--bad) } .quiet { color:var(--quiet) }
.verdict.good { background:var(--goodbg) } .verdict.good b { background:var(--good) } .verdict.warn { background:var(--warnbg) }
.verdict.warn b { background:var(--warn) }
.numbers { display:grid; grid-template-columns:repeat(auto-fit,minmax(150px,1fr)); gap:12px; margin:16px 0 0 } .numbers div { background:var(--card);
border:1px solid var(--line); border-radius:12px; padding:14px 18px }
.numbers strong { display:block; font-size:24px; font-weight:620; letter-spacing:-.01em; font-variant-numeric:tabular-nums }
.numbers span { color:var(--dim); font-size:14px }
.card { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:6px 20px; overflow-x:auto }
.todo { border-left:4px solid var(--warn) } .linger { border-left:4px solid var(--soft) }
ul.plain { list-style:none; margin:0; padding:0 } ul.plain li { padding:12px 0; border-top:1px solid var(--line) }
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
dl { grid-template-columns:1fr; gap:0 } dd { margin-bottom:8px } }
@media print { @page { size:A4; margin:16mm 14mm } :root { --paper:#fff; --card:#fff; --ink:#000; --dim:#555; --line:#ccc; --good:#1d6b49;
--goodbg:#fff; --soft:#2d5a8e; --softbg:#fff; --warn:#7a5200; --warnbg:#fff; --bad:#9c2a23; --badbg:#fff; --quiet:#666; --quietbg:#fff;
color-scheme:light }
  body { font-size:10.5pt } main { padding:0; max-width:none } h1 { font-size:24pt } h2 { break-after:avoid; margin-top:22pt }
.sys, .numbers, .verdict, li, tr, svg { break-inside:avoid } .verdict { border:1px solid var(--line) } .pill { border:1px solid var(--line) }
.card { overflow:visible } * { print-color-adjust:exact; -webkit-print-color-adjust:exact } svg { min-width:0 } table { font-size:9.5pt } }
</style></head><body><main>
<header>
<div class="eyebrow">{{ kind }}{% if r.person.department %} · {{ r.person.department }}{% endif %}</div>
<h1>{{ r.person.name }}</h1>
<p class="dim">{% if r.person.title %}{{ r.person.title }} · {% endif %}{{ r.person.email }}{% if r.person.location %}
· {{ r.person.location }}{% endif %}</p>
{% set tone = "good" if r.case.complete else "warn" %}
<div class="verdict {{ tone }}"><b>{{ "✓" if r.case.complete else "!" }}</b><span>{{ r.verdict.sentence }}</span></div>
<div class="numbers">
{% if r.case.kind == "offboard" %}<div><strong>{{ r.summary.time_to_cut_s | span }}</strong><span>until all access was cut</span></div>{% endif %}
{% if r.case.kind == "onboard" %}<div><strong>{{ r.summary.time_to_ready_s | span }}</strong><span>until ready</span></div>{% endif %}
<div><strong>{{ systems | length }}</strong><span>systems covered{% if r.scope.not_covered %}, {{ r.scope.not_covered | length }} not{% endif %}
</span></div>
<div><strong>{{ r.open_items | length }}</strong><span>still to do</span></div>
<div><strong>{{ r.residual_access | length }}</strong><span>{{ "ways" if r.residual_access | length != 1 else "way" }} in that may linger</span></div>
{% if r.summary.service_levels_met is not none %}<div>
<strong class="{{ 'good' if r.summary.service_levels_met else 'bad' }}">{{ "met" if r.summary.service_levels_met else "missed" }}</strong>
<span>service levels</span></div>{% endif %}
</div></header>

{% if r.open_items %}<h2>What a person still has to do</h2><div class="card todo"><ul class="plain">
{% for item in r.open_items %}<li><strong>{{ item.system }}</strong>{% if item.what != item.system %}: {{ item.what }}{% endif %}
<span class="pill {{ words(item.outcome)[2] }}">{{ words(item.outcome)[1] }}</span>{% if item.why %}<br><span class="dim">{{ item.why }}
</span>{% endif %}{% if item.owner %}<br><span class="dim">Ask {{ item.owner }}</span>{% endif %}</li>
{% endfor %}</ul></div>{% endif %}

{% if r.residual_access %}<h2>Access that may linger</h2><div class="card linger"><ul class="plain">
{% for item in r.residual_access %}<li><strong>{{ item.system }}</strong>: {{ item.what }}, <strong class="soft">until {{ item.until | when }}
</strong><br><span class="dim">{{ item.why }}</span></li>{% endfor %}</ul></div>{% endif %}

{% if chart %}<h2>What happened, and when</h2><div class="card">
<svg viewBox="0 0 {{ chart.width }} {{ chart.height }}" role="img" aria-label="Timeline of all systems">
{% for p in chart.phases %}{% if p.shown %}<text x="{{ p.x }}" y="18" text-anchor="{{ 'end' if p.x > chart.width - 110 else 'start' }}">{{ p.name }}
</text>{% endif %}<line class="grid" x1="{{ p.x }}" x2="{{ p.x }}" y1="26" y2="{{ chart.base }}" stroke-dasharray="2 3"/>{% endfor %}
{% for row in chart.rows %}<line class="grid" x1="0" x2="{{ chart.width }}" y1="{{ row.y }}" y2="{{ row.y }}"/>
<text class="name" x="0" y="{{ row.y + 17 }}">{{ row.name | truncate(26, true, "…", 0) }}</text>{% endfor %}
{% for b in chart.bars %}<rect class="b {{ b.tone }}" x="{{ b.x }}" y="{{ b.y }}" width="{{ b.w }}" height="14" rx="4"><title>{{ b.title }}</title>
</rect>{% endfor %}
<line class="grid" x1="0" x2="{{ chart.width }}" y1="{{ chart.base }}" y2="{{ chart.base }}"/>
{% for x in chart.breaks %}<text x="{{ x }}" y="{{ chart.base + 5 }}" text-anchor="middle">⫽</text>{% endfor %}
{% for t in chart.ticks %}
<text x="{{ t.x }}" y="{{ chart.base + 20 }}" text-anchor="{{ 'end' if loop.last and not loop.first else 'start' }}">{{ t.text }}</text>{% endfor %}
</svg><div class="legend"><span class="good">■ done</span><span class="soft">■ accepted or attested</span><span class="warn">■ waits</span>
<span class="bad">■ failed or unknown</span><span class="quiet">■ no account</span></div></div>
<p class="dim" style="margin-top:8px">From {{ r.timings.origin | when }}{% if chart.breaks %}; long pauses are shortened (⫽){% endif %}
.</p>{% endif %}

{% if r.case.kind == "transfer" %}<h2>What changed hands</h2><div class="card"><table><tr><th>Gained</th><th>Lost</th><th>Kept</th></tr><tr>
{% for name in ("gained", "lost", "kept") %}<td>{% for e in r.entitlements[name] %}{{ e.what }} <span class="dim">on {{ e.system }}</span>
<br>{% else %}<span class="dim">nothing</span>{% endfor %}</td>{% endfor %}</tr></table></div>{% endif %}

{% if r.devices %}<h2>Devices</h2><div class="card"><table><tr><th>Device</th><th>From</th><th>To</th><th></th></tr>
{% for d in r.devices %}<tr><td>{{ d.what }}{% if d.note %}<br><span class="change">{{ d.note }}</span>{% endif %}</td><td>{{ d.before | plain }}
</td><td>{{ d.after | plain }}</td><td><span class="pill {{ words(d.outcome)[2] }}">{{ words(d.outcome)[1] }}</span></td></tr>{% endfor %}</table>
</div>{% endif %}

{% if r.data_custody %}<h2>What was handed over, and kept</h2><div class="card"><table><tr><th>What</th><th>Now</th><th>Successor</th><th></th></tr>
{% for d in r.data_custody %}<tr><td>{{ d.what }}<br><span class="change">{{ d.system }}</span></td><td>{{ d.now | plain }}</td><td>{{ d.to or "–" }}
</td><td><span class="pill {{ words(d.outcome)[2] }}">{{ words(d.outcome)[1] }}</span></td></tr>{% endfor %}</table></div>{% endif %}

<h2>System by system</h2>
{% for name, actions in systems.items() %}{% set facts = r.scope.systems.get(name, {}) %}
<div class="card sys"><h3>{{ name }} <small>{{ facts.title or "" }}{% if facts.owner %}
· {{ facts.owner }}{% endif %}{% if name in r.timings.cut_s and r.timings.cut_s[name] is not none %}
· cut after {{ r.timings.cut_s[name] | span }}{% endif %}</small></h3><table>
{% for a in actions %}{% set w = words("attested" if a.attested and a.closed else a.result) %}
<tr><td style="width:24%"><strong style="font-weight:560">{{ a.action.replace("_", " ") | capitalize }}</strong><br>
<span class="change">{{ phase(a.phase) }}</span></td>
<td><span class="pill {{ w[2] }}">{{ w[0] }} {{ w[1] }}</span>{% for c in a.changes %}<div class="change"><b>{{ c.what }}
</b>: {% if c.before != c.after %}{{ c.before | plain }}
→ {{ c.after | plain }}{% else %}{{ c.after | plain }}{% endif %}{% if c.outcome != a.result %}
<span class="{{ words(c.outcome)[2] }}">({{ words(c.outcome)[1] }})</span>{% endif %}{% if c.note %} – {{ c.note }}{% endif %}</div>{% endfor %}
{% if a.message and not a.changes %}<div class="change">{{ a.message }}</div>{% endif %}{% for t in a.attested %}
<div class="change">Attested by {{ t.by }}, {{ t.at | when }}{% if t.note %}: {{ t.note }}{% endif %}</div>{% endfor %}</td>
<td style="width:29%" class="change">{{ (a.verified_at or a.completed_at or a.requested_at) | when }}
<br>{{ a.verification.method }}{% if a.attempts > 1 %}<br>{{ a.attempts }} attempts{% endif %}</td></tr>{% endfor %}</table></div>{% endfor %}

{% if r.scope.not_covered %}<h2>Not covered</h2><div class="card"><ul class="plain">{% for s in r.scope.not_covered %}<li><strong>{{ s.system }}
</strong>: {{ s.why }}{% if s.owner %} <span class="dim">({{ s.owner }})</span>{% endif %}</li>{% endfor %}</ul></div>{% endif %}
{% if r.exceptions %}<h2>Exceptions</h2><div class="card"><ul class="plain">{% for e in r.exceptions %}<li>{{ e.what }}{% if e.why %}<br>
<span class="dim">{{ e.why }}</span>{% endif %}{% if e.approved_by %}<br>
<span class="dim">Approved by {{ e.approved_by }}{% if e.expires %}, until {{ e.expires }}{% endif %}</span>{% endif %}</li>{% endfor %}</ul>
</div>{% endif %}
{% if r.timings.service_levels %}<h2>Times against the service levels</h2><div class="card"><table><tr><th>System</th><th>Step</th><th>Took</th>
<th>Limit</th><th></th></tr>
{% for s in r.timings.service_levels %}<tr><td>{{ s.system }}</td><td>{{ s.action.replace("_", " ") }}</td><td class="n">{{ s.took_s | span }}</td>
<td class="n">{{ s.limit_s | span }}</td><td><span class="pill {{ 'good' if s.met else 'bad' }}">{{ "met" if s.met else "missed" }}</span></td>
</tr>{% endfor %}</table></div>{% endif %}

<h2>Evidence</h2><div class="card"><dl>
<dt>Case</dt><dd><code>{{ r.case.id }}</code></dd><dt>Opened</dt><dd>{{ r.case.opened | when }}</dd><dt>Closed</dt><dd>{{ r.case.closed | when }}</dd>
{% for k, v in r.trigger.items() if v not in ("", none) %}<dt>{{ k.replace("_", " ") | capitalize }}</dt><dd>{{ v | plain }}</dd>{% endfor %}
{% if r.profile %}<dt>Access profile</dt><dd>{{ r.profile }}</dd>{% endif %}<dt>Person key</dt><dd><code>{{ r.person.key }}</code></dd><dt>Runs</dt>
<dd><code>{{ r.case.runs | join(", ") }}</code></dd>
<dt>Made by</dt><dd>workforce.lifecycle {{ r.software.collection }}, ansible-core {{ r.software.ansible_core }}, Python {{ r.software.python }}</dd>
<dt>Ledger head</dt><dd><code>{{ r.chain.head }}</code></dd><dt>Record SHA-256</dt><dd><code>{{ sha256 }}</code></dd></dl>
<p class="dim" style="font-size:14px">Keep the ledger head elsewhere:
<code>ansible-playbook workforce.lifecycle.verify -e expected_head={{ r.chain.head }}</code>
then proves that nothing up to it was changed.</p></div>
</main></body></html>
"""
