#!/bin/bash
# Train N parts at once on this machine, and join them. Usage: bash torchrun.sh N
#
# torchrun only starts the processes and numbers them; they do not talk to each other. On several machines, start it on
# each of them with the same --nnodes and --rdzv-endpoint instead of --standalone, and merge at the end.
set -eu
N=$1
OUT=${OUT:-out}
STRAG=${STRAG:-strag}
mkdir -p "$OUT"
# strag is a command, not a Python file, hence --no-python.
torchrun --standalone --nproc-per-node "$N" --no-python \
    $STRAG train ${DATA:-mnist8k} ${TRAIN:---runs 96 --until decided --lr 0.2 --threads 1} \
    --part auto --resume -q -o "$OUT/h.%p.safetensors"
$STRAG merge -q $(seq -f "$OUT/h.%.0f.safetensors" "$N") -o "$OUT/h.safetensors"
