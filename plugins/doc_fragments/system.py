# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Documentation that every module shares: where the system is, what comes back."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  system:
    description: The system's name. Taken from the inventory host.
    type: str
  connector:
    description: Which connector speaks to this system. Taken from C(lifecycle_connector) of the host.
    type: str
  manifest:
    description: What the file of a declared connector says, as JSON. Filled in by the collection where a step runs on another machine.
    type: str
    default: ""
  url:
    description: Address of the system's API. Taken from C(lifecycle_url) of the host.
    type: str
    default: ""
  credentials:
    description: Credentials by name, as the connector's page lists them. Taken from C(lifecycle_credentials) of the host; never set it in a task.
    type: dict
    default: {}
  options:
    description: Settings of the connector, as its page lists them. Taken from C(lifecycle_options) of the host.
    type: dict
    default: {}
  ca_file:
    description: Certificate authorities to trust instead of the usual ones. Taken from C(lifecycle_ca_file) of the host.
    type: path
    default: ""
  proxy:
    description: Address of an HTTP proxy. Taken from C(lifecycle_proxy) of the host.
    type: str
    default: ""
  timeout:
    description: Seconds to wait for an answer. Taken from C(lifecycle_timeout) of the host.
    type: float
    default: 30.0
  deadline:
    description:
      - Seconds that this step may take on the system, whatever the system does; 0 for what the step itself says.
      - Taken from C(lifecycle_deadline) of the host.
    type: float
    default: 0
  max_wait:
    description: Seconds to spend, at most, on waiting because the system asks for it. Taken from C(lifecycle_max_wait) of the host.
    type: float
    default: 60.0
  follow:
    description: Seconds to watch what the system has accepted until its end, such as a wipe. Taken from C(lifecycle_follow) of the host.
    type: float
    default: 0.0
  history:
    description: What the ledger knows of this step from earlier runs. Filled in by the collection.
    type: dict
    default: {}
  guard:
    description: What policy, approvals and the plan being executed mean for this step. Filled in by the collection.
    type: dict
    default: {}
  known:
    description: What ledger and HR know of the person on this system - links, other people's keys, what is expected. Filled in by the collection.
    type: dict
    default: {}
requirements:
  - The Python libraries of requirements.txt, where the step runs.
attributes:
  check_mode:
    description: Reads, reports what would change, and sends no write; the transport refuses one.
    support: full
  diff_mode:
    description: Returns before and after.
    support: full
notes:
  - Run it against hosts of the inventory plugin P(workforce.lifecycle.systems#inventory); a host is one of the company's systems.
  - On a connection other than C(local), it runs as an ordinary module where the connection leads, with the same behaviour.
  - "Returns RV(ignore:outcome): one of V(done), V(already), V(absent), V(acknowledged), V(in_progress), V(needs_human), V(unsupported), V(unknown), V(failed)."
"""

    PERSON = r"""
options:
  person:
    description:
      - The person, as RV(workforce.lifecycle.person_info#module:people) gives them. Only C(email) must be there.
      - Without it the step is done for everybody whose case the run has opened, several at once, and RV(ignore:results) has one result for each.
        What the step takes of a case fills in the options that the task does not set; it is left out where it does not concern a person.
        A failure of one person stands in the ledger, and the others go on.
    type: dict
  step:
    description: Which step of a case is meant, where the module does several; the usual one, when empty. It means nothing with O(person).
    type: str
    default: ""
  optional:
    description: Whether a system that can't do this is an outcome (V(unsupported)) and not a failure.
    type: bool
    default: false
"""
