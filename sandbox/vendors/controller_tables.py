# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Name the tables of AWX 24.6.1 with their fields and defaults, what links them, and what a thing of each leads to."""

from __future__ import annotations

from typing import Any

NEEDED = object()
_ASKS = (
    "credential",
    "diff_mode",
    "execution_environment",
    "forks",
    "instance_groups",
    "inventory",
    "job_slice_count",
    "job_type",
    "labels",
    "limit",
    "scm_branch",
    "skip_tags",
    "tags",
    "timeout",
    "variables",
    "verbosity",
)
_TEMPLATE: dict[str, Any] = {
    "name": NEEDED,
    "description": "",
    "extra_vars": "",
    "survey_enabled": False,
    "allow_simultaneous": False,
    "limit": "",
    "scm_branch": "",
    **{f"ask_{name}_on_launch": False for name in _ASKS},
}
#: Table -> its fields and their defaults.
FIELDS: dict[str, dict[str, Any]] = {
    "organizations": {"name": NEEDED, "description": ""},
    "users": {"username": NEEDED, "email": "", "is_superuser": False, "first_name": "", "last_name": ""},
    "labels": {"name": NEEDED, "organization": NEEDED},
    "teams": {"name": NEEDED, "description": "", "organization": NEEDED},
    "instance_groups": {"name": NEEDED},
    "credential_types": {
        "name": NEEDED,
        "description": "",
        "kind": NEEDED,
        "inputs": {},
        "injectors": {},
        "managed": False,
    },
    "credentials": {"name": NEEDED, "description": "", "organization": None, "credential_type": NEEDED, "inputs": {}},
    "execution_environments": {
        "name": NEEDED,
        "description": "",
        "image": NEEDED,
        "organization": None,
        "pull": "",
        "credential": None,
    },
    "projects": {
        "name": NEEDED,
        "description": "",
        "organization": None,
        "scm_type": "",
        "scm_url": "",
        "scm_branch": "",
        "scm_clean": False,
        "credential": None,
        "scm_update_on_launch": False,
        "scm_update_cache_timeout": 0,
        "allow_override": False,
        "timeout": 0,
        "default_environment": None,
        "scm_revision": "",
    },
    "inventories": {"name": NEEDED, "description": "", "organization": NEEDED, "kind": "", "variables": ""},
    "inventory_sources": {
        "name": NEEDED,
        "description": "",
        "inventory": NEEDED,
        "source": "",
        "source_path": "",
        "source_project": None,
        "overwrite": False,
        "overwrite_vars": False,
        "update_on_launch": False,
        "update_cache_timeout": 0,
        "execution_environment": None,
        "credential": None,
        "timeout": 0,
    },
    "notification_templates": {
        "name": NEEDED,
        "description": "",
        "organization": NEEDED,
        "notification_type": NEEDED,
        "notification_configuration": {},
        "messages": None,
    },
    "job_templates": {
        **_TEMPLATE,
        "job_type": "run",
        "inventory": None,
        "project": None,
        "playbook": "",
        "forks": 0,
        "verbosity": 0,
        "job_tags": "",
        "skip_tags": "",
        "timeout": 0,
        "use_fact_cache": False,
        "execution_environment": None,
        "diff_mode": False,
        "job_slice_count": 1,
        "become_enabled": False,
        "prevent_instance_group_fallback": False,
    },
    "workflow_job_templates": {**_TEMPLATE, "organization": None, "inventory": None},
    "workflow_job_template_nodes": {
        "workflow_job_template": NEEDED,
        "unified_job_template": None,
        "identifier": "",
        "extra_data": {},
        "all_parents_must_converge": False,
    },
    "workflow_approval_templates": {"name": NEEDED, "description": "", "timeout": 0},
    "schedules": {
        "name": NEEDED,
        "description": "",
        "rrule": NEEDED,
        "unified_job_template": NEEDED,
        "enabled": True,
        "extra_data": {},
    },
    "roles": {},
    "project_updates": {},
    "inventory_updates": {},
    "jobs": {},
    "workflow_jobs": {},
    "workflow_job_nodes": {},
    "workflow_approvals": {},
}
#: Fields that hold an id of another table.
KEYS = {
    "organization": "organizations",
    "project": "projects",
    "source_project": "projects",
    "inventory": "inventories",
    "credential_type": "credential_types",
    "execution_environment": "execution_environments",
    "default_environment": "execution_environments",
    "workflow_job_template": "workflow_job_templates",
    "job_template": "job_templates",
    "workflow_job": "workflow_jobs",
}
#: Lists of others that hang on a thing -> where they are.
LINKS = {
    "credentials": "credentials",
    "instance_groups": "instance_groups",
    "users": "users",
    "teams": "teams",
    "labels": "labels",
    "success_nodes": "workflow_job_template_nodes",
    "failure_nodes": "workflow_job_template_nodes",
    "always_nodes": "workflow_job_template_nodes",
    **{
        f"notification_templates_{when}": "notification_templates"
        for when in ("started", "success", "error", "approvals")
    },
}
#: (table of the parent, name of the list) -> (table of the children, their field).
CHILDREN = {
    ("job_templates", "jobs"): ("jobs", "job_template"),
    ("workflow_job_templates", "workflow_jobs"): ("workflow_jobs", "workflow_job_template"),
    ("workflow_job_templates", "workflow_nodes"): ("workflow_job_template_nodes", "workflow_job_template"),
    ("workflow_jobs", "workflow_nodes"): ("workflow_job_nodes", "workflow_job"),
    ("inventories", "inventory_sources"): ("inventory_sources", "inventory"),
}
#: Table -> the roles that one of its rows has, as its serializer shows them.
ROLES = {
    "organizations": ("admin", "execute", "member", "auditor", "read", "approval"),
    "teams": ("admin", "member", "read"),
    "projects": ("admin", "use", "update", "read"),
    "inventories": ("admin", "use", "update", "adhoc", "read"),
    "credentials": ("admin", "use", "read"),
    "job_templates": ("admin", "execute", "read"),
    "workflow_job_templates": ("admin", "execute", "read", "approval"),
}
#: Type -> what ``related`` leads to.
RELATED = {
    "job_template": ("launch", "survey_spec", "jobs", "credentials", "labels", "instance_groups"),
    "workflow_job_template": ("launch", "survey_spec", "workflow_jobs", "workflow_nodes", "labels"),
    "project": ("update", "project_updates"),
    "inventory_source": ("update", "inventory_updates"),
    "workflow_job_template_node": ("create_approval_template", "success_nodes", "failure_nodes", "always_nodes"),
    "job": ("cancel", "job_events", "stdout", "labels"),
    "workflow_job": ("cancel", "workflow_nodes", "labels"),
    "workflow_approval": ("approve", "deny"),
}
#: Table -> the type of one of its rows.
TYPE = {name: name[:-3] + "y" if name.endswith("ies") else name[:-1] for name in FIELDS}
