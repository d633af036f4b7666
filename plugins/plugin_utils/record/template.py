# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The template of the record's page."""

from __future__ import annotations

from .style import STYLE

TEMPLATE = (
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ kind }}: {{ r.person.name }}</title>
<style>
"""
    + STYLE
    + """</style></head><body><main>
<header>
<div class="eyebrow">{{ kind }}{% if r.person.department %} · {{ r.person.department }}{% endif %}</div>
<h1>{{ r.person.name }}</h1>
<p class="dim">{% if r.person.title %}{{ r.person.title }} · {% endif %}{{ r.person.email }}{%
if r.person.location %} · {{ r.person.location }}{% endif %}</p>
{% set tone = "good" if r.case.complete else "warn" %}
<div class="verdict {{ tone }}"><b>{{ "✓" if r.case.complete else "!" }}</b><span>{{ r.verdict.sentence }}</span></div>
{% if r.verdict.access %}<p class="two">{% set shut = r.verdict.access == "closed" %}
<span class="pill {{ 'good' if shut else 'bad' }}">{{ "✓" if shut else "✗" }} access {{ r.verdict.access }}</span>
<span class="pill {{ 'good' if r.case.complete else 'warn' }}">{{ "✓" if r.case.complete else "!" }} case {{ r.verdict.case }}</span></p>{% endif %}
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
{% for item in r.open_items %}<li><strong>{{ item.system }}</strong>{% if item.what != item.system %}: {{ item.what }}{% endif +%}
<span class="pill {{ words(item.outcome)[2] }}">{{ words(item.outcome)[1] }}</span>{% if item.why %}<br><span class="dim">{{ item.why }}
</span>{% endif %}{% if item.owner %}<br><span class="dim">Ask {{ item.owner }}</span>{% endif %}</li>
{% endfor %}</ul></div>{% endif %}

{% if r.residual_access %}<h2>Access that may linger</h2><div class="card linger"><ul class="plain">
{% for item in r.residual_access %}<li><strong>{{ item.system }}</strong>: {{ item.what }}, <strong class="soft">{{
"for how long is not known" if item.until == "unknown" else "until " ~ (item.until | when) }}</strong><br><span class="dim">{{ item.why }}</span></li>{%
endfor %}</ul></div>{% endif %}

{% if r.clocks %}<h2>What can still be had back</h2><div class="card linger"><ul class="plain">
{% for item in r.clocks %}<li><strong>{{ item.system }}</strong>: {{ item.what }}: <strong class="{{ 'soft' if item.days_left else 'bad' }}">{{ item.text }}
</strong><br><span class="dim">Until then: {{ item.until_then }}. The vendor says so: {{ item.source }}</span></li>{% endfor %}</ul></div>{% endif %}

{% if r.followups %}<h2>What comes later</h2><div class="card"><table class="stack"><tr><th>Due</th><th>What</th><th></th></tr>
{% for f in r.followups %}<tr><td class="n">{{ f.due | when }}</td><td>{{ f.what }}{% if f.system %} <span class="dim">on {{ f.system }}</span>{% endif %}
</td><td>{{ f.how }}{% if f.why %}<br><span class="change">{{ f.why }}</span>{% endif %}</td></tr>{% endfor %}</table></div>{% endif %}

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
<p class="dim" style="margin-top:8px">From {{ r.timings.origin | when }}{% if r.timings.cut_after_effective_s is not none
%}; effective {{ r.timings.effective_at | when }}, cut {{ r.timings.cut_after_effective_s | abs | span }} {{
"before" if r.timings.cut_after_effective_s < 0 else "after" }} that{% endif %}{% if
r.timings.hr_latency_s is not none %}; HR recorded it {{ r.timings.hr_latency_s | abs | span }} {{
"before" if r.timings.hr_latency_s < 0 else "after" }} it took effect{% endif %}{%
if chart.breaks %}; long pauses are shortened (⫽){% endif %}
.</p>{% endif %}

{% if r.case.kind == "transfer" %}<h2>What changed hands</h2><div class="card"><table class="stack"><tr><th>Gained</th><th>Lost</th><th>Kept</th></tr><tr>
{% for name in ("gained", "lost", "kept") %}<td data-l="{{ name | capitalize }}">{% for e in r.entitlements[name] %}
{{ e.what }} <span class="dim">on {{ e.system }}</span>
<br>{% else %}<span class="dim">nothing</span>{% endfor %}</td>{% endfor %}</tr></table></div>{% endif %}

{% if r.given_back %}<h2>What came back, and what cannot</h2><div class="card"><table class="stack"><tr><th>Lost</th><th>Why</th><th>Who</th></tr>
{% for l in r.given_back.lost %}<tr><td>{{ l.what }}<br><span class="change">{{ l.system }}</span></td><td>{{ l.why }}</td><td>{{ l.who }}</td></tr>
{% else %}<tr><td class="dim">nothing</td><td></td><td></td></tr>{% endfor %}</table>
<p class="dim">{{ r.given_back.restored | length }} things came back from case {{ r.given_back.of }}, withdrawn by {{ r.given_back.by }}.
{% for l in r.given_back.left %}<br>Left: {{ l.what }} on {{ l.system }}: {{ l.why }}{% endfor %}</p></div>{% endif %}

{% if r.devices %}<h2>Devices</h2><div class="card"><table class="stack"><tr><th>Device</th><th>From</th><th>To</th><th></th></tr>
{% for d in r.devices %}<tr><td>{{ d.what }}{% if d.note %}<br><span class="change">{{ d.note }}</span>{% endif %}</td><td data-l="From">{{ d.before | plain }}
</td><td data-l="To">{{ d.after | plain }}</td><td>{% set w = words("attested" if d.note.startswith("attested by ") else d.outcome) %}
<span class="pill {{ w[2] }}">{{ w[1] }}</span></td></tr>{% endfor %}</table>
</div>{% endif %}

{% if r.hardware %}<h2>Company hardware</h2>
{% for d in r.hardware %}<div class="card sys long{{ ' todo' if d.out }}"><h3>{{ d.serial }} <small>{{ "not back" if d.out else d.settled }}</small></h3>
<table class="stack">
{% for e in d.events %}<tr><td class="n" style="width:24%">{{ e.at | when }}</td>
<td>{{ ("shipping label sent" if e.what == "label" else e.what) | sentence }}
{% if not e.seen %}<span class="pill {{ 'soft' if e.by else 'warn' }}">{{ "said by name" if e.by else "not seen" }}</span>{% endif %}
{% if e.note %}<div class="change">{{ e.note }}</div>{% endif %}
{% if e.link %}<div class="change"><a href="{{ e.link }}" rel="noreferrer">open the label</a></div>{% endif %}</td>
<td class="change">{{ e.by or e.system }}</td></tr>{% endfor %}</table></div>{% endfor %}
{% endif %}

{% if r.data_custody %}<h2>What was handed over, and kept</h2><div class="card"><table class="stack">
<tr><th>What</th><th>Now</th><th>Successor</th><th></th></tr>
{% for d in r.data_custody %}<tr><td>{{ d.what }}<br><span class="change">{{ d.system }}</span></td><td data-l="Now">{{ d.now | plain }}</td>
<td data-l="Successor">{{ d.to or "–" }}
</td><td><span class="pill {{ words(d.outcome)[2] }}">{{ words(d.outcome)[1] }}</span></td></tr>{% endfor %}</table></div>{% endif %}

<h2>System by system</h2>
{% for name, actions in systems.items() %}{% set facts = r.scope.systems.get(name, {}) %}
<div class="card sys"><h3>{{ name }} <small>{{ facts.title or "" }}{% if facts.owner %} · {{ facts.owner }}{% endif %}{%
if name in r.timings.cut_s and r.timings.cut_s[name] is not none %} · cut after {{ r.timings.cut_s[name] | span }}{% endif %}</small></h3><table class="stack">
{% for a in actions %}{% set w = words("attested" if a.attested and a.closed else a.result) %}
<tr><td style="width:24%"><strong style="font-weight:560">{{ a.action | sentence }}</strong>
{% if phase(a.phase) | lower | replace(" ", "") != a.action | lower %}<br><span class="change">{{ phase(a.phase) }}</span>{% endif %}</td>
<td><span class="pill {{ w[2] }}">{{ w[0] }} {{ w[1] }}</span>{% for one in a.accounts %}{% if a.action == "cutoff" %}
<div class="change">{{ one.login }} is {{ one.whose }} by {{ one.evidence }}</div>{% endif %}{% endfor %}{%
for c in a.changes %}<div class="change"><b>{{ c.what }}</b>: {% if c.before != c.after %}{{ c.before | plain }}
→ {{ c.after | plain }}{% else %}{{ c.after | plain }}{% endif %}{% if c.outcome != a.result +%}
<span class="{{ words(c.outcome)[2] }}">({{ words(c.outcome)[1] }})</span>{% endif %}{% if c.note %} – {{ c.note }}{% endif %}</div>{% endfor %}
{% if a.message and not a.changes %}<div class="change">{{ a.message }}</div>{% endif %}{% for t in a.attested %}
<div class="change">Attested by {{ t.by }}, {{ t.at | when }}{% if t.note %}: {{ t.note }}{% endif %}</div>{% endfor %}</td>
<td style="width:29%" class="change">{% if a.completed_at %}Done {{ a.completed_at | when }}{% else %}Begun {{ a.requested_at | when }}{% endif
%}{% if a.verified_at and a.verified_at != a.completed_at %}<br>Last seen {{ a.verified_at | when }}{% endif %}
<br>{{ a.verification.method }}{% if a.attempts > 1 %}<br>{{ a.attempts }} attempts{% endif %}</td></tr>{% endfor %}</table></div>{% endfor %}

{% if r.scope.not_covered %}<h2>Not covered</h2><div class="card"><ul class="plain">{% for s in r.scope.not_covered %}<li><strong>{{ s.system }}
</strong>: {{ s.why }}{% if s.owner %} <span class="dim">({{ s.owner }})</span>{% endif %}</li>{% endfor %}</ul></div>{% endif %}
{% if r.exceptions %}<h2>Exceptions</h2><div class="card"><ul class="plain">{% for e in r.exceptions %}<li>{{ e.what }}{% if e.why %}<br>
<span class="dim">{{ e.why }}</span>{% endif %}{% if e.approved_by %}<br>
<span class="dim">Approved by {{ e.approved_by }}{% if e.expires %}, until {{ e.expires }}{% endif %}</span>{% endif %}</li>{% endfor %}</ul>
</div>{% endif %}
{% if r.timings.service_levels %}<h2>Times against the service levels</h2><div class="card"><table class="stack"><tr><th>System</th><th>Step</th><th>Took</th>
<th>Limit</th><th></th></tr>
{% for s in r.timings.service_levels %}<tr><td>{{ s.system }}</td><td>{{ s.action.replace("_", " ") }}</td>
<td class="n" data-l="Took">{{ s.took_s | span }}</td>
<td class="n" data-l="Limit">{{ s.limit_s | span }}</td><td><span class="pill {{ 'good' if s.met else 'bad' }}">{{ "met" if s.met else "missed" }}</span></td>
</tr>{% endfor %}</table></div>{% endif %}

<h2>Evidence</h2><div class="card"><dl>
<dt>Case</dt><dd><code>{{ r.case.id }}</code></dd><dt>Opened</dt><dd>{{ r.case.opened | when }}</dd><dt>Closed</dt><dd>{{ r.case.closed | when }}</dd>
{% for k, v in r.trigger.items() if v not in ("", none) %}<dt>{{ k.replace("_", " ") | capitalize }}</dt><dd>{{ v | plain }}</dd>{% endfor %}
{% if r.profile %}<dt>Access profile</dt><dd>{{ r.profile }}</dd>{% endif %}<dt>Person key</dt><dd><code>{{ r.person.key }}</code></dd><dt>Runs</dt>
<dd><code>{{ r.case.runs | join(", ") }}</code></dd>
<dt>Made by</dt><dd>workforce.lifecycle {{ r.software.collection }}, ansible-core {{ r.software.ansible_core }}, Python {{ r.software.python }}</dd>
<dt>Ledger head</dt><dd><code>{{ r.chain.head }}</code></dd><dt>Record SHA-256</dt><dd><code>{{ sha256 }}</code></dd></dl>
<p class="dim" style="font-size:14px">Keep the ledger head elsewhere:
<code>ansible-playbook -i company.systems.yml workforce.lifecycle.verify -e expected_head={{ r.chain.head }}</code>
then proves that nothing up to it was changed.</p></div>
</main></body></html>
"""
)
