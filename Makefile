# SPDX-License-Identifier: GPL-3.0-or-later
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
LINK   := build/collections/ansible_collections/workforce/lifecycle

.PHONY: link
link:
	@mkdir -p $(dir $(LINK)) && ln -sfn "$(CURDIR)" $(LINK)
