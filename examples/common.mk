# What every example shares: a strict shell, no half-made files, pictures and data in OUT.
# The strag of `make setup`, if it was run, else that on the path.
STRAG ?= $(firstword $(abspath $(wildcard ../../.venv/bin/strag)) strag)
OUT ?= out
PLOT = $(STRAG) plot --dpi 120

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all clean

all:

$(OUT):
	mkdir -p $@

clean:
	rm -rf $(OUT)
