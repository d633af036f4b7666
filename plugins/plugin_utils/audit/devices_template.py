# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The template of the devices' page."""

from __future__ import annotations

from .template import HEAD

DEVICES = (
    HEAD
    + """<header>
<div class="eyebrow">Devices{% if source.company %} · {{ source.company }}{% endif %}</div>
<h1>Where every device is</h1>
<p class="dim said">Made {{ source.made | when }} from the ledger up to its head {{ source.head.partition(":")[0] }}{% if source.reconcile
%} and from the reconcile of {{ source.reconcile | when }}{% endif %}.</p>
{% if not source.reconcile %}<p class="said warn">No reconcile was found: which devices are not encrypted or not managed is not known here.</p>{% endif %}
{% if source.not_read %}<p class="said bad">The reconcile could not read {{ source.not_read | join(", ") }}: of its devices nothing is said.</p>{% endif %}
<div class="verdict {{ 'warn' if said else 'good' if source.reconcile else 'none' }}"><b>{{
"!" if said else "✓" if source.reconcile else "–" }}</b><span>{{ said
or ("All company hardware of leavers is back, and nothing wrong is known of any device." if source.reconcile
else "All company hardware of leavers is back; more is not known before a reconcile.") }}</span></div>
<div class="numbers four">
<div><strong>{{ devices | length }}</strong><span>devices with a history, or with something wrong</span></div>
<div><strong class="{{ 'bad' if out }}">{{ out | length }}</strong><span>of leavers, and not back</span></div>
<div><strong class="{{ 'bad' if unencrypted }}">{{ unencrypted | length if source.reconcile else "?" }}</strong><span>not encrypted</span></div>
<div><strong class="{{ 'bad' if unmanaged }}">{{ unmanaged | length if source.reconcile else "?" }}</strong><span>not managed</span></div>
</div></header>

{% if troubled %}<h2>Something is wrong with these <small>found by the last reconcile</small></h2>
<div class="card scroll"><table class="stack"><tr><th>Device</th><th>Who has it</th><th>What is wrong</th><th>Known since</th></tr>
{% for d in troubled %}{% for c in d.concerns %}<tr><td>{{ d.serial or d.name or "no serial" }}
{%- if d.serial and d.name %}<br><span class="change">{{ d.name }}</span>{% endif %}</td>
<td data-l="Who has it">{{ d.holder or "nobody is named" }}{% if d.personal %} <span class="pill quiet">their own</span>{% endif %}</td>
<td><span class="pill {{ 'bad' if c.kind in ("device_unencrypted", "device_owner_gone") else 'warn' }}">{{ c.what }}</span><br>
<span class="change">{{ c.system }}: {{ c.said }}</span></td><td class="n" data-l="Known since">{{ c.since | day }}</td></tr>{% endfor %}{% endfor %}
</table></div>{% endif %}

{% if personal %}<h2>People's own devices, and the company's data on them</h2>
<div class="card scroll"><table class="stack"><tr><th>Device</th><th>Whose</th><th>The company's data</th></tr>
{% for d in personal %}<tr><td>{{ d.serial or d.name or "no serial" }}</td><td data-l="Whose">{{ d.holder or "nobody is named" }}</td>
<td data-l="The company's data">{{ d.company_data or "nothing was done: they work here" }}</td></tr>{% endfor %}</table></div>{% endif %}

<h2>Every device, and what is known of it <small>oldest first</small></h2>
<p class="dim said">"Not seen" is an order that the device has not carried out as far as anybody knows. "Said by name" is what a person stated.
All else was seen by the device management, or by the person who is named.</p>
{% for d in devices if d.events %}<div class="card sys long{{ ' todo' if d.out }}"><h3>{{ d.serial }} <small>{{
[d.name, d.platform, d.holder] | select | join(" · ") }}</small>
<span class="pill {{ 'warn' if d.out else 'quiet' if d.personal else 'good' if d.settled else 'soft' }}">{{
"not back" if d.out else "their own" if d.personal else d.settled or "in use" }}</span></h3>
<table class="stack">{% for e in d.events %}<tr><td class="n" style="width:26%">{{ e.at | when }}</td>
<td>{{ words.get(e.what, e.what) | sentence }}
{% if not e.seen %}<span class="pill {{ 'soft' if e.by else 'warn' }}">{{ "said by name" if e.by else "not seen" }}</span>{% endif %}
{% if e.note %}<div class="change">{{ e.note }}</div>{% endif %}
{% if e.link %}<div class="change"><a href="{{ e.link }}" rel="noreferrer">open the label</a></div>{% endif %}</td>
<td class="change" style="width:24%">{{ e.by or e.system }}<br><code>{{ e.case }}</code></td></tr>{% endfor %}</table></div>
{% else %}<div class="card"><p style="margin:12px 0" class="dim">No device was assigned, secured or returned yet.</p></div>{% endfor %}
</main></body></html>
"""
)
