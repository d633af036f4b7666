# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The script that verifies a pack with openssl, sha256sum and jq. It is short, so that an auditor can read it first."""

from __future__ import annotations

SCRIPT = r"""#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Verifies this pack with openssl, sha256sum and jq alone. Give the public keys of the company, which you got by another
# way than this pack: sh verify.sh ledger.pub.pem
: "${1:?give the company's public key}"; pack=$(dirname "$0"); tmp=$(mktemp -d); trap 'rm -r "$tmp"' EXIT
bad() { echo "BAD: $*" >>"$tmp/bad"; }
signed() { file=$1; signature=$2; shift 2  # whether one of the keys signed the file
  for key; do openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$file" -sigfile "$signature" && return; done
} >"$tmp/out" 2>&1
(cd "$pack" && sha256sum --quiet -c SHA256SUMS) || bad "a file is not as it was packed"
signed "$pack/SHA256SUMS" "$pack/SHA256SUMS.sig" "$@" || bad "the list of files is not signed by the company"
[ "$(find "$pack" ! -type d | wc -l)" -eq $(($(wc -l <"$pack/SHA256SUMS") + 2)) ] || bad "files were added, or are gone"
# Each entry: its head (number and hash), the hash of the entry before it, the signature of the head, and what it says.
cat "$pack"/cases/*/*.jsonl | jq -r '"\(.n):\(.hash)", .previous, .signature, .body' >"$tmp/all" || bad "broken entries"
while read -r head && read -r previous && read -r signature && IFS= read -r body; do
  [ "$(printf %s "$previous$body" | sha256sum)" = "${head#*:}  -" ] || bad "entry ${head%:*} is not as it was written"
  printf %s "$head" >"$tmp/head"; printf %s "$signature" | base64 -d >"$tmp/signature"
  signed "$tmp/head" "$tmp/signature" "$@" || bad "entry ${head%:*} is not signed by the company"
done <"$tmp/all"
# The ledger keeps the digest of every record (record.json, record.html) that was written.
jq -rR 'fromjson? | objects | select(.kind == "recorded").data.files[]' "$tmp/all" >"$tmp/known"
! sha256sum "$pack"/cases/*/record.???? | grep -vFf "$tmp/known" || bad "that is not the record that the ledger knows"
find "$pack" -name '*.tsr' | while read -r stamp; do
  openssl ts -verify -data "${stamp%tsr}json" -in "$stamp" -CAfile "${stamp%/*}/ca.pem" || bad "$stamp does not verify"
done >"$tmp/out" 2>&1
! cat "$tmp/bad" 2>/dev/null && echo "everything in this pack is as the company wrote and signed it"
"""
