#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# Debian packages of the real servers that some tests use. Does nothing when they are there; says what is skipped when it can't.
set -eu
need=""
check() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || need="$need $2"; }
check dovecot dovecot-imapd
[ -e /usr/lib/dovecot/modules/auth/libauthdb_ldap.so ] || need="$need dovecot-ldap" # passwords that live in a directory
check ns-slapd 389-ds-base
check mbsync isync
check slapd slapd
check ldapsearch ldap-utils
check samba "samba samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind"
if [ "${1:-}" = soak ] && [ ! -d /usr/share/redmine ]; then need="$need redmine redmine-sqlite"; fi
if [ "${1:-}" = soak ]; then check rt-setup-database-5 "request-tracker5 rt5-db-sqlite"; fi
if [ "${1:-}" = soak ]; then check java default-jre-headless; fi # ansible-rulebook's rule engine
if [ "${1:-}" = soak ]; then check openvpn openvpn; check wg "wireguard-tools wireguard-go"; check sshd openssh-server; check ip iproute2; fi
if [ "${1:-}" = soak ] && [ ! -e /usr/share/easy-rsa/easyrsa ]; then need="$need easy-rsa"; fi
check chromium chromium
check systemd-analyze systemd                                     # how much the bridge's unit exposes
check bwrap bubblewrap                                            # a read-only root, as the bridge's container has one
if [ "${1:-}" = soak ]; then check prometheus prometheus; check prometheus-node-exporter prometheus-node-exporter; check zsh zsh; fi
[ -n "$need" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "not installed, and their tests are skipped:$need (needs root and apt-get)" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends $need; } >/dev/null 2>&1; then
    echo "could not be installed, and their tests are skipped:$need" >&2
fi
