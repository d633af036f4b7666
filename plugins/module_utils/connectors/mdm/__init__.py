# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What Fleet, Jamf Pro and Kandji have in common: whose a device is, and how a queued command stands."""
