#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# Servers that others wrote and that want libraries of their own, each in a folder below build/worlds, for `make soak`.
# Does nothing when they are there; says what is skipped when one can't be installed.
set -eu
cd "$(dirname "$0")/.."
worlds=build/worlds
mkdir -p "$worlds"

if ! [ -x "$worlds/canaille/bin/canaille" ]; then
    # with scim2-models newer than 0.8 each of its SCIM answers is a 500
    if ! { python3 -m venv --clear "$worlds/canaille" && "$worlds/canaille/bin/pip" install --quiet --disable-pip-version-check \
        'canaille[front,oidc,scim,server,sqlite]==0.3.6' 'scim2-models==0.8.2' 'scim2-client==0.7.5'; } >/dev/null 2>&1; then
        rm -rf "$worlds/canaille"
        echo "could not be installed, and its tests are skipped: canaille" >&2
    fi
fi

if ! [ -f "$worlds/emulate/node_modules/emulate/package.json" ]; then
    # newer ones need a newer Node; "latest" of that name is another program
    if ! npm install --silent --prefix "$worlds/emulate" emulate@0.11.2 >/dev/null 2>&1; then
        rm -rf "$worlds/emulate"
        echo "could not be installed, and its tests are skipped: emulate (needs npm)" >&2
    fi
fi
