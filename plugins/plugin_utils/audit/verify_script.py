# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The script of a pack that verifies it with openssl, sha256sum and jq: short, so that an auditor reads it first."""

from __future__ import annotations

SCRIPT = r"""#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Verifies this pack with openssl, sha256sum and jq. Give the company's public keys, got by another way than the pack: sh verify.sh ledger.pub.pem
[ $# -gt 0 ] || { echo "give the company's public key: sh $0 ledger.pub.pem"; exit 2; }
pack=$(dirname "$0"); t=$(mktemp -d); trap 'rm -rf "$t"' EXIT; : >"$t/bad"
bad() { echo "BAD: $*"; echo x >>"$t/bad"; }
signed() { f=$1; s=$2; shift 2; for key; do
  openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$f" -sigfile "$s" >"$t/out" 2>&1 && return 0; done; return 1; }
(cd "$pack" && sha256sum --quiet -c SHA256SUMS) || bad "a file is not as it was packed"
signed "$pack/SHA256SUMS" "$pack/SHA256SUMS.sig" "$@" || bad "the list of files is not signed by the company"
[ "$(find "$pack" ! -type d ! -name 'SHA256SUMS*' | wc -l)" -eq "$(wc -l <"$pack/SHA256SUMS")" ] || bad "files were added to the pack, or taken out of it"
for entries in "$pack"/cases/*/entries.jsonl; do
  [ -e "$entries" ] || continue
  jq -r '"\(.n):\(.hash)", .previous, .signature, .body' "$entries" >"$t/lines" || bad "$entries cannot be read"
  while IFS= read -r head && IFS= read -r previous && IFS= read -r signature && IFS= read -r body; do
    [ "$(printf '%s%s' "$previous" "$body" | sha256sum | cut -c -64)" = "${head#*:}" ] || bad "$entries: entry ${head%%:*} is not as it was written"
    printf '%s' "$head" >"$t/head"; printf '%s' "$signature" | base64 -d >"$t/sig" 2>"$t/out"
    signed "$t/head" "$t/sig" "$@" || bad "$entries: entry ${head%%:*} is not signed by the company"
  done <"$t/lines"
  jq -r '.body | fromjson | select(.kind == "recorded") | .data.files[]' "$entries" >"$t/noted"
  for file in record.json record.html; do
    grep -q "^$(sha256sum <"${entries%/*}/$file" | cut -c -64)\$" "$t/noted" || bad "${entries%/*}/$file is not the record that the ledger knows"
  done
done
for stamp in "$pack"/stamps/*/*.tsr; do
  [ -e "$stamp" ] || continue
  openssl ts -verify -data "${stamp%.tsr}.json" -in "$stamp" -CAfile "${stamp%/*}/ca.pem" >"$t/out" 2>&1 || bad "$stamp does not verify"
done
[ ! -s "$t/bad" ] || exit 1
echo "everything in this pack is as the company wrote and signed it: $(wc -l <"$pack/SHA256SUMS") files"
"""
