# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A company that nobody arranged for us: its own tree, its own habits, records that changed and accounts that did not."""
