# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

import requests

from sandbox.box import Box
from sandbox.vendors.slack import Slack


def test_a_box_ends_while_a_client_keeps_its_connection_open() -> None:
    with requests.Session() as client:
        with Box([Slack]) as box:
            client.get(f"{box['slack'].url}/scim/v2/Users", verify=box.ca_file, timeout=30)
            assert box.running
        assert not box.running
