# What every example shares: a strict shell, no half-made files, pictures and data in OUT.
STRAG ?= strag
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
