# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The templates of the audit's page and of the numbers' page."""

from __future__ import annotations

from ..record.style import STYLE

HEAD = (
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}</title>
<style>
"""
    + STYLE
    + """
svg .bar { fill:var(--soft) } svg .val { fill:var(--ink); font-weight:560 } .plot { overflow-x:auto } p.said { max-width:74ch }
td.r, th.r { text-align:right; white-space:nowrap; font-variant-numeric:tabular-nums } h2 small { font-weight:400; color:var(--dim); font-size:14px }
a { color:var(--soft) } .scroll { overflow-x:auto } .scroll table { min-width:560px } pre { white-space:pre-wrap; overflow-wrap:anywhere; margin:8px 0;
font:13px/1.6 ui-monospace,Menlo,Consolas,monospace }
.numbers strong { white-space:nowrap } .numbers.four { grid-template-columns:repeat(4,minmax(0,1fr)) } .numbers.three {
grid-template-columns:repeat(3,minmax(0,1fr)) }
@media (max-width:600px) { .numbers, .numbers.four, .numbers.three { grid-template-columns:repeat(2,minmax(0,1fr)) } .numbers strong { font-size:20px }
.scroll table.stack { min-width:0 } }
@media print { .scroll table { min-width:0 } a { color:inherit; text-decoration:none } .scroll { overflow:visible } }
</style></head><body><main>
"""
)
_PLOT = """{% macro plot(p, label) %}<div class="plot"><svg viewBox="0 0 {{ p.width }} {{ p.height }}" role="img" aria-label="{{ label }}">
{% for t in p.ticks %}<line class="grid" x1="{{ p.left }}" x2="{{ p.width }}" y1="{{ t.y }}" y2="{{ t.y }}" stroke-dasharray="2 3"/>
<text x="{{ p.left - 8 }}" y="{{ t.y + 4 }}" text-anchor="end">{{ t.text }}</text>{% endfor %}
{% for b in p.bars %}<rect class="bar" x="{{ b.x }}" y="{{ b.y }}" width="{{ b.width }}" height="{{ b.height }}" rx="3"><title>{{ b.title }}</title></rect>
{% if b.height > 0 %}<text class="val" x="{{ b.x + b.width / 2 }}" y="{{ b.y - 5 }}" text-anchor="middle">{{ b.value }}</text>{% endif %}
<text x="{{ b.x + b.width / 2 }}" y="{{ p.base + 18 }}" text-anchor="middle">{{ b.label }}</text>{% endfor %}
<line class="grid" x1="{{ p.left }}" x2="{{ p.width }}" y1="{{ p.base }}" y2="{{ p.base }}"/></svg></div>{% endmacro %}
"""

AUDIT = (
    HEAD
    + _PLOT
    + """<header>
<div class="eyebrow">Audit of leavers{% if a.company %} · {{ a.company }}{% endif %}</div>
<h1>{{ a.period.first | day }} to {{ a.period.last | day }}</h1>
<p class="dim said">Made {{ a.made | when }} from HR ({{ a.sources | join(", ") or "no source" }}) and from the ledger up to its head {{
a.head.partition(":")[0] }}.</p>
{% set n = a.problems | length %}
<div class="verdict {{ 'warn' if n else 'good' if a.members else 'none' }}"><b>{{ "!" if n else "✓" if a.members else "–" }}</b
><span>{% if n %}{{ n }} exception{{ "s" if n != 1 }}: {{ worst }}
{%- elif not a.members %}Nobody left in this time.
{%- else %}Everybody who left has a case, every way in was closed in time, and all company hardware is back.{% endif %}</span></div>
<div class="numbers three">
<div><strong>{{ a.members | length }}</strong><span>people in the population</span></div>
<div><strong>{{ a.count(LEFT) }}</strong><span>left and have a case</span></div>
<div><strong class="{{ 'bad' if a.count(MISSING) }}">{{ a.count(MISSING) }}</strong><span>left and have none</span></div>
<div><strong>{{ a.sampled | length }}</strong><span>looked at closely</span></div>
<div><strong>{{ a.numbers.to_access_closed.median | span }}</strong><span>until access was closed, the middle case</span></div>
<div><strong>{{ a.numbers.share_in_time | share }}</strong><span>of timed steps within their service level</span></div>
</div></header>

<h2>Exceptions <small>each with who answers for it</small></h2>
{% for kind, found in groups %}<div class="card todo" style="margin-bottom:12px"><p style="margin:12px 0 4px">
<strong>{{ found | length }} × {{ meaning[kind] }}</strong></p>
<div class="scroll"><table class="stack"><tr><th>Who</th><th>What</th><th>Since</th><th>Answers for it</th></tr>
{% for p in found[:60] %}<tr><td>{{ p.name }}<br><span class="change">{{ p.key }}</span>{% if p.case %}<br><code>{{ p.case }}</code>{% endif %}</td>
<td>{{ p.what }}</td>
<td class="n" data-l="Since">{{ p.since | day }}</td><td data-l="Answers for it">{% if p.owner %}{{ p.owner }}
{% else %}<span class="bad">nobody is named</span>{% endif %}</td></tr>{% endfor %}</table></div>
{% if found | length > 60 %}<p class="dim">and {{ found | length - 60 }} more in exceptions.csv</p>{% endif %}</div>
{% else %}<div class="card"><p style="margin:12px 0">None.</p></div>{% endfor %}

<h2>The population, and how it was reconciled</h2>
<p class="dim said">HR's leavers of the period against the ledger's leaver cases. Each person who is in only one of them has a reason.</p>
<div class="card"><table><tr><th>How the two fit</th><th class="r">People</th></tr>
{% for standing, count in standings %}<tr><td>{{ standing | capitalize }}</td><td class="r">{{ count }}</td></tr>{% endfor %}</table></div>
{% if explained %}<div class="card scroll" style="margin-top:12px"><table class="stack"><tr><th>Who</th><th>How it fits</th><th>Why</th></tr>
{% for m in explained[:60] %}<tr><td>{{ m.name }}<br><span class="change">{{ m.key }}</span></td><td>{{ m.standing }}</td>
<td>{{ m.why or "nobody said why" }}</td></tr>{% endfor %}
</table></div>{% endif %}

<h2>How long it took <small>from HR's word to the last way in closed</small></h2>
<div class="card">{{ plot(spread, "How many cases took how long") }}</div>
<div class="card" style="margin-top:12px">{{ plot(trend, "The middle case of each month") }}</div>
<p class="dim" style="margin-top:8px">Above: how many cases took how long. Below: the middle case of each month.</p>

<h2>The sample <small>{{ a.sampled | length }} of {{ a.count(LEFT) + a.count(MISSING) }}, seed <code>{{ a.seed }}</code></small></h2>
<p class="dim said">Drawn by the smallest <code>sha256(seed:key)</code>, so that the same seed gives the same people again. Each record lies beside this page
with its signature.</p>
<div class="card scroll"><table class="stack"><tr><th>Who</th><th>Left</th><th>Access closed after</th><th>Case</th></tr>
{% for m in a.sampled %}<tr><td>{{ m.name }}<br><span class="change">{{ m.key }}</span></td><td class="n" data-l="Left">{{ m.left | day }}</td>
<td class="n" data-l="Access closed after">{% if m.case %}{{ m.case.after(m.case.access_closed) | span }}
{% else %}<span class="bad">no case</span>{% endif %}</td>
<td>{% if m.case %}<a href="cases/{{ m.case.id }}/record.html">{{ m.case.id }}</a>{% else %}–{% endif %}</td></tr>{% endfor %}</table></div>

<h2>Controls</h2>
<div class="card scroll"><table class="stack"><tr><th>Control</th><th>Asks that</th><th>Evidence here</th></tr>
{% for c in controls %}<tr><td><strong style="font-weight:560">{{ c.framework }}</strong><br>{{ c.name }}</td><td>{{ c.asks }}</td>
<td>{{ c.answered_by }}</td></tr>{% endfor %}</table></div>
<p class="dim" style="margin-top:8px">This says where the evidence is. Whether a control is met is the auditor's judgement.</p>

<h2>Verify it without this software</h2><div class="card">
<p style="margin:12px 0 0">With the company's public key, got by another way than this pack, and <code>openssl</code>, <code>sha256sum</code> and
<code>jq</code>:</p>
<pre>sh verify.sh ledger.pub.pem</pre>
<dl><dt>Ledger head</dt><dd><code>{{ a.head }}</code></dd>{% for k in keys %}<dt>Signed with key</dt><dd><code>{{ k }}</code></dd>{% else %}<dt>Signed</dt>
<dd class="bad">no: the company's policy names no key</dd>{% endfor %}</dl></div>
</main></body></html>
"""
)

NUMBERS = (
    HEAD
    + _PLOT
    + """<header>
<div class="eyebrow">Joiners, movers, leavers{% if company %} · {{ company }}{% endif %}</div>
<h1>{{ n.first | day }} to {{ n.last | day }}</h1>
<p class="dim">{{ people }}. Made {{ n.made | when }} from the ledger.</p>
<div class="verdict {{ 'warn' if said else 'good' if n.steps else 'none' }}"><b>{{ "!" if said else "✓" if n.steps else "–" }}</b
><span>{{ said or calm }}</span></div>
<div class="numbers four">
<div><strong>{{ n.to_access_closed.median | span if n.to_access_closed.count else "–" }}</strong>
<span>from HR's word to the last way in closed, the middle leaver</span></div>
<div><strong>{{ n.to_access_closed.p90 | span if n.to_access_closed.count else "–" }}</strong><span>nine of ten leavers within</span></div>
<div><strong>{{ n.share_in_time | share }}</strong><span>of timed steps within their service level</span></div>
<div><strong>{{ n.to_ready.median | early if n.to_ready.count else "–" }}</strong>
<span>ready, against the beginning of the first day, the middle joiner</span></div>
<div><strong>{{ n.completeness | share }}</strong><span>of all steps closed</span></div>
<div><strong>{{ n.share_by_hand | share }}</strong><span>of all steps by hand</span></div>
<div><strong class="{{ 'bad' if n.devices_out }}">{{ n.devices_out | length }}</strong><span>company devices not back</span></div>
<div><strong class="{{ 'bad' if n.access_open }}">{{ n.access_open }}</strong><span>leavers with a way in that is open</span></div>
</div></header>

<h2>How long until access is closed</h2>
<div class="card">{{ plot(spread, "How many leavers took how long") }}</div>
<h2>Month by month <small>the middle leaver</small></h2>
<div class="card">{{ plot(trend, "The middle leaver of each month") }}</div>

<h2>The worst ten <small>late steps, and why</small></h2>
<div class="card scroll"><table class="stack"><tr><th>Who</th><th>Step</th><th class="r">Took</th><th class="r">Limit</th><th>Why</th><th>Answers for it</th>
</tr>
{% for l in n.late[:10] %}<tr><td>{{ l.name }}<br><code>{{ l.case }}</code></td><td>{{ l.step | replace("_", " ") }} on {{ l.system }}</td>
<td class="r" data-l="Took">{{ l.took | span }}</td>
<td class="r" data-l="Limit">{{ l.limit | span }}</td><td>{{ l.why }}</td><td data-l="Answers for it">{{ l.owner or "nobody is named" }}</td>
</tr>{% else %}<tr><td class="dim">Nothing was late.</td></tr>{% endfor %}</table></div>

<h2>What waits for whom</h2>
<div class="card scroll"><table class="stack"><tr><th>Answers for it</th><th class="r">Open</th><th class="r">Late</th><th class="r">Oldest</th></tr>
{% for o in owners %}<tr><td>{{ o.owner or "nobody is named" }}</td><td class="r" data-l="Open">{{ o.open }}</td>
<td class="r" data-l="Late">{{ o.late }}</td><td class="r" data-l="Oldest">{{ o.oldest | span }}</td></tr>
{% else %}<tr><td class="dim">Nothing is open.</td></tr>{% endfor %}</table></div>

<h2>Hardware that is not back</h2>
<div class="card scroll"><table class="stack"><tr><th>Device</th><th>Case</th><th class="r">For</th></tr>
{% for serial, case, age in n.devices_out[:40] %}<tr><td>{{ serial }}</td><td><code>{{ case }}</code></td><td class="r" data-l="For">{{ age | span }}</td></tr>
{% else %}<tr><td class="dim">All company hardware of leavers is back.</td></tr>{% endfor %}</table></div>

<h2>Errors, counted</h2>
<div class="card"><table>
<tr><td>Attempts that failed, or whose end is not known</td><td class="r">{{ n.errors.attempts }}</td></tr>
<tr><td>Steps that went wrong at least once</td><td class="r">{{ n.errors.wrong }}</td></tr>
<tr><td>of these, repaired by now</td><td class="r">{{ n.errors.repaired }}</td></tr>
<tr><td>Access that a reconcile had to take</td><td class="r">{{ n.errors.too_much }}</td></tr>
<tr><td>Steps later than their service level</td><td class="r">{{ n.errors.too_late }}</td></tr></table></div>

<h2>What to automate next <small>steps by hand</small></h2>
<div class="card"><table>{% for what, count in n.by_hand_most %}<tr><td>{{ what | replace("_", " ") }}</td><td class="r">{{ count }}</td></tr>
{% else %}<tr><td class="dim">No step was done by hand.</td></tr>{% endfor %}</table></div>
{% if n.residual %}<h2>Access that may linger <small>by system</small></h2><div class="card"><table>{% for system, count in n.residual.items() %}<tr>
<td>{{ system }}</td>
<td class="r">{{ count }}</td></tr>{% endfor %}</table></div>{% endif %}
</main></body></html>
"""
)
