# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The template of the reconcile page. Its filters are check boxes and style rules: the page runs no script."""

from __future__ import annotations

from ..record.style import STYLE

TEMPLATE = (
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Reconcile{% if r.company %}: {{ r.company }}{% endif %}</title>
<style>
"""
    + STYLE
    + """
main { max-width:1120px } .numbers { grid-template-columns:repeat(auto-fit,minmax(126px,1fr)) }
.bar { position:sticky; top:0; z-index:2; background:var(--paper); margin:28px -28px 0; padding:12px 28px 10px;
border-bottom:1px solid var(--line) }
.bar div { display:flex; flex-wrap:wrap; gap:6px; align-items:center } .bar div + div { margin-top:8px }
.bar span.of { width:74px; color:var(--dim); font-size:13.5px }
.bar input { position:absolute; opacity:0 } .bar label { padding:3px 12px; border:1px solid var(--line); border-radius:99px; font-size:14px; cursor:pointer;
background:var(--card); color:var(--dim); user-select:none } .bar label b { font-weight:620; font-variant-numeric:tabular-nums }
.bar input:checked + label { color:var(--ink); border-color:var(--dim) } .bar input:not(:checked) + label.sev { opacity:.45 }
.bar input:focus-visible + label { outline:2px solid var(--soft); outline-offset:1px }
.dot { display:inline-block; width:9px; height:9px; border-radius:50%; margin-right:6px; background:currentColor; flex:none }
.critical { --tone:var(--bad); --tonebg:var(--badbg) } .high { --tone:var(--bad); --tonebg:var(--badbg) }
.medium { --tone:var(--warn); --tonebg:var(--warnbg) } .low { --tone:var(--soft); --tonebg:var(--softbg) }
.tone { color:var(--tone) } .critical .dot, .dot.critical { box-shadow:0 0 0 3px var(--badbg) }
section h2 { display:flex; gap:12px; align-items:baseline; margin:44px 0 2px } section h2 small { font-size:14px; font-weight:500; color:var(--dim) }
section > p { color:var(--dim); max-width:760px } .list { background:var(--card); border:1px solid var(--line); border-radius:12px; overflow:hidden }
.f { display:grid; grid-template-columns:minmax(150px,230px) minmax(0,1fr) max-content; gap:4px 20px; padding:13px 18px 12px 15px;
border-top:1px solid var(--line); border-left:3px solid var(--tone) } .f:first-child { border-top:0 }
.f > div:first-child { grid-row:1 / span 3 } .f > div { min-width:0; overflow-wrap:anywhere }
.f strong { font-weight:600 } .f small { color:var(--dim); font-size:13.5px; display:block }
.f .when { text-align:right; color:var(--dim); font-size:13.5px; white-space:nowrap } .new { color:var(--soft); font-weight:600 }
.cmd { grid-column:2 / -1; display:block; margin-top:5px; padding:6px 10px; background:var(--quietbg); border-radius:7px; user-select:all }
.f details { grid-column:2 / -1; font-size:13.5px; color:var(--dim) } .f summary { cursor:pointer; width:max-content }
.f dl { margin:6px 0 2px; font-size:13.5px; gap:2px 18px } .alarm { border-left:4px solid var(--bad); margin-top:16px }
.f dl + dl { border-top:1px dashed var(--line); padding-top:6px }
.said { margin:2px 0 0; padding:0; list-style:none; font-size:15px } .said b { font-weight:560 }
.more { padding:12px 18px; color:var(--dim); border-top:1px solid var(--line); font-size:14px }
@media (max-width:700px) { .f { grid-template-columns:1fr } .f .when { text-align:left } .cmd, .f details { grid-column:1 }
.bar { margin:20px -16px 0; padding:10px 16px } }
@media print { .bar { display:none } .f, section h2 { break-inside:avoid } }
{% for rule in rules %}{{ rule | safe }}
{% endfor %}
</style></head><body><main>
<header>
<div class="eyebrow">Reconcile{% if r.company %} · {{ r.company }}{% endif %} · {{ r.made | when }}</div>
<h1>{% if r.findings %}{{ r.findings | length | thousands }} to settle{% else %}Nothing to settle{% endif %}</h1>
<p class="dim">{{ said }}</p>
<div class="numbers">{% for name in severities %}{% if r.summary.by_severity.get(name) %}
<div class="{{ name }}"><strong class="tone">{{ r.summary.by_severity[name] | thousands }}</strong><span>{{ name }}</span></div>{% endif %}{% endfor %}
<div><strong>{{ r.summary.new | thousands }}</strong><span>new since the last look</span></div>
<div><strong>{{ r.summary.gone | length | thousands }}</strong><span>settled since then</span></div>
<div><strong>{{ r.closed_leavers.known | thousands }}</strong><span>closed leavers looked for again</span></div>
</div>
{% if unread %}<div class="card alarm"><ul class="plain">{% for s in unread %}<li><strong>{{ s.system }}</strong> <span class="pill bad">not read</span><br>
<span class="dim">{{ s.why }}</span>{% if s.owner %}<br><span class="dim">Ask {{ s.owner }}</span>{% endif %}</li>{% endfor %}
<li class="dim">Nothing is known of these systems today: not that all is well there.</li></ul></div>{% endif %}
</header>
{% if r.findings %}<nav class="bar" aria-label="Filter">
<div><span class="of">Severity</span>{% for name in severities %}{% if r.summary.by_severity.get(name) %}
<input type="checkbox" id="s-{{ name }}" checked><label class="sev {{ name }}" for="s-{{ name }}"><span class="dot tone"></span>{{ name }}
<b>{{ r.summary.by_severity[name] | thousands }}</b></label>{% endif %}{% endfor %}</div>
<div><span class="of">System</span><input type="radio" name="y" id="y-all" checked><label for="y-all">all</label>
{%- for name, number in r.summary.by_system.items() %}
<input type="radio" name="y" id="{{ slug[name] }}"><label for="{{ slug[name] }}">{{ name }} <b>{{ number | thousands }}</b></label>{% endfor %}</div>
</nav>{% endif %}
{% for g in groups %}<section id="k-{{ g.kind }}" class="{{ g.classes }}"><h2>{{ g.title }} <small>{{ g.number | thousands }}</small></h2>
<p>{{ g.why }} {{ g.todo }}</p><div class="list">
{% for f in g.shown %}<article class="f {{ f.severity }} {{ f.classes }}" id="{{ f.id }}">
<div><strong>{{ f.name }}</strong><small>{{ f.where }}</small></div>
<div>{% if f.person %}{% if f.person.name != f.name %}{{ f.person.name }} {% endif %}<span class="dim">{{ f.person.employee_id or f.person.email }}</span>
{% endif %}{% if f.protected %}<span class="pill soft">protected</span> {% endif %}
{% if f.number == 1 %}{% if f.person %}– {% endif %}{{ f.said[0][2] }}{% else %}
<ul class="said">
{% for system, account, said in f.said %}<li>{% if system or account %}<span class="dim">{{ system }}</span> <b>{{ account }}</b>
{% endif %}{{ said }}</li>{% endfor %}
{% if f.unsaid %}<li class="dim">and {{ f.unsaid }} more, in the CSV</li>{% endif %}</ul>{% endif %}</div>
<div class="when">{% if f.new %}<span class="new">new</span>{% else %}since {{ f.since | day }}{% endif %}</div>
<code class="cmd">{{ f.command }}</code>
<details><summary>Evidence</summary>
{% for facts in f.evidence %}<dl>{% for k, v in facts %}<dt>{{ k }}</dt><dd>{{ v }}</dd>{% endfor %}</dl>{% endfor %}</details></article>
{% endfor %}{% if g.more %}<div class="more">and {{ g.more | thousands }} more, in the CSV and the JSON</div>{% endif %}
</div></section>
{% endfor %}
<h2>What was read</h2><div class="card"><table><tr><th>System</th><th>Accounts</th><th>Devices</th><th>Keys</th><th>Not known</th></tr>
{% for s in r.systems %}<tr><td><strong>{{ s.system }}</strong><br><span class="change">{{ s.title }}</span></td>{% if s.read %}
<td class="n">{% if s.accounts %}{{ s.accounts | thousands }}<br><span class="change">{{ s.active | thousands }} active</span>{% else %}–{% endif %}</td>
<td class="n">{{ s.devices | thousands if s.devices else "–" }}</td><td class="n">{{ s.credentials | thousands if s.credentials else "–" }}</td>
<td class="change">{{ s | untold }}</td>{% else %}<td colspan="3"><span class="pill bad">not read</span></td><td class="change">{{ s.why }}</td>{% endif %}</tr>
{% endfor %}{% for s in r.not_listed %}<tr><td><strong>{{ s.system }}</strong></td><td colspan="3"><span class="pill quiet">cannot be listed</span></td>
<td class="change">{{ s.why }}</td></tr>{% endfor %}</table></div>
<p class="dim" style="margin-top:10px">Against {{ r.hr.people | thousands }} people of {{ r.hr.systems | join(", ") }}: {{ r.hr.active | thousands }} at work,
{{ r.hr.gone | thousands }} gone{% if r.hr.without_profile %}; {{ r.hr.without_profile | thousands }} at work fit no access profile, or two, so that
what they hold was not judged{% endif %}.</p>
{% if r.hr.unread %}<div class="card alarm"><ul class="plain">{% for one in r.hr.unread[:200] %}<li><strong>{{ one.system }}</strong>
{{ "record " ~ one.id if one.id else "a record without an id" }} <span class="pill bad">not read</span><br>
<span class="dim">{{ one.why }}</span></li>{% endfor %}
<li class="dim">Whoever HR does not seem to have may be one of these: nothing is done about such an account.</li></ul></div>{% endif %}
<h2>Closed leavers</h2><div class="card"><p style="margin:14px 0">{{ r.closed_leavers.known | thousands }} whose leaving is closed were looked for again
on {{ r.closed_leavers.looked_for_on | join(", ") or "no system" }}:
{{ r.closed_leavers.back or "nobody" }} {{ "are" if r.closed_leavers.back > 1 else "is" }} back.
{% if r.closed_leavers.not_on %}<span class="dim">Not looked at: {{ r.closed_leavers.not_on | join(", ") }}.</span>{% endif %}</p></div>
{% if r.ignored %}<h2>Accepted, for now</h2><div class="card"><table><tr><th>Account</th><th>What</th><th>Why</th><th>Until</th></tr>
{% for f in r.ignored[:200] %}<tr><td>{{ f.account }}<br><span class="change">{{ f.system }}</span></td><td>{{ f.title }}</td><td>{{ f.ignored.why }}</td>
<td class="n">{{ f.ignored.until }}</td></tr>{% endfor %}</table></div>{% endif %}
{% if r.marked %}<h2>Known to belong to no person</h2><div class="card"><table><tr><th>Account</th><th>System</th><th>What</th><th>By whose word</th></tr>
{% for m in r.marked[:200] %}<tr><td>{{ m.account }}</td><td>{{ m.system }}</td>
<td>{{ m.is }}{% if not m.active %}, not active{% endif %}</td><td>{{ m.why }}</td></tr>
{% endfor %}</table></div>{% endif %}
</main></body></html>
"""
)
