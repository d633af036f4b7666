#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# Build this clone's collection and install it, with the libraries it needs, for the ansible-core that is first in PATH.
# The clone's own ansible.cfg is left out: it puts the linked clone first, so that ansible-galaxy would install into it, or find
# nothing to do.
set -eu
cd "$(dirname "$0")/.."
command -v ansible-galaxy >/dev/null 2>&1 || {
    echo "ansible-galaxy is not in PATH: pip install 'ansible-core>=2.16', and run this again" >&2
    exit 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
: >"$folder/ansible.cfg"
export ANSIBLE_CONFIG="$folder/ansible.cfg"
ansible-galaxy collection build --output-path "$folder" . >/dev/null
ansible-galaxy collection install --force "$folder"/workforce-lifecycle-*.tar.gz
# The Python that runs this ansible-core, wherever pipx or a virtual environment has put it.
python=$(ansible --version | sed -n 's/.*python version.*(\(\/[^()]*\)).*/\1/p')
"${python:-python3}" -m pip install --disable-pip-version-check --quiet -r requirements.txt
echo "Installed. From any folder: ansible-playbook workforce.lifecycle.init"
