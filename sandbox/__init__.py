# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A company in a box: real servers where one can be installed, emulators of vendors' clouds where none can."""
