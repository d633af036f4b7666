# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.company import SandboxCompany


@pytest.fixture(scope="session")
def running_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxCompany]:
    """The company of all files: to start one takes 7 s of a processor, to reset it half a second."""
    company = SandboxCompany(tmp_path_factory.mktemp("company"))
    yield company
    company.stop()


@pytest.fixture
def company(running_company: SandboxCompany) -> SandboxCompany:
    """The sandbox company as seeded."""
    running_company.reset()
    return running_company
