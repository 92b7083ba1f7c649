"""strag geometry against reading and norms alone: `python -m tests.benchmarks.geometry`.

The file holds 1,000,000 x 512 float32 activations of 100 classes, 2 GB, in a temporary folder. One side reads
it tile by tile and takes the norms of the rows with numpy, which any measurement has to do. The other side
is `strag geometry` without start-up: opening, radii, distances, separation. The sides take turns, each in a
process of its own with the same number of threads, and the file is in the page cache. The radii must be those
of a plain two-pass computation on the first 20,000 rows, measured as a file of their own.
Prints Markdown and writes `geometry.json` beside this file.

`python -m tests.benchmarks.geometry '{"side": ...}'` measures one side and prints JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.run import machine, spread

ROWS, UNITS, CLASSES = 1_000_000, 512, 100
FEW = 20_000  # rows whose radii are compared with those of a plain computation
TILE = 4096  # rows that the plain side reads at a time, in which it is fastest
LIMIT = 1 << 30  # bytes of memory that strag may need, whatever the size of the file
SIDES = ("numpy", "strag")


def make(folder, rows=ROWS):
    """Write an npy file of activations and one of labels into a folder; their paths."""
    paths = str(Path(folder) / f"h{rows}.npy"), str(Path(folder) / f"y{rows}.npy")
    random = np.random.default_rng(0)
    labels = random.integers(CLASSES, size=rows)
    h = np.lib.format.open_memmap(paths[0], "w+", np.float32, (rows, UNITS))
    for start in range(0, rows, 10_000):
        at = slice(start, start + 10_000)
        h[at] = random.standard_normal(h[at].shape, dtype=np.float32)
        h[at, 0] += labels[at]
    h.flush()
    np.save(paths[1], labels)
    return paths


def norms(h, y):
    """Read the file and take the norms of its rows; their sum, so that both sides have a result."""
    header = np.load(h, mmap_mode="r")
    rows, start, total = len(header), header.offset, 0.0
    tile = np.empty((TILE, header.shape[1]), np.float32)
    with open(h, "rb", buffering=0) as file:
        file.seek(start)
        for first in range(0, rows, TILE):
            part = tile[: min(TILE, rows - first)]
            file.readinto(memoryview(part).cast("B"))
            total += float(np.linalg.norm(part, axis=1).sum())
    return [total]


def radii(h, y):
    """What `strag geometry` measures of the file: the radii."""
    from strag.api.measure import as_records, opened_grid
    from strag.geometry.measure import measure

    with opened_grid([h], [y]) as grid:
        (record,) = measure(grid)
        return as_records(grid, record)[0]["radius"]


def plain(h, y):
    """The radii of a plain computation in float64."""
    x, labels = np.load(h).astype(np.float64), np.load(y)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    classes = [x[labels == c] for c in range(CLASSES)]
    return [np.sqrt(np.square(of - of.mean(axis=0)).sum(axis=1).mean()) for of in classes]


def side(side, h, y):
    """Seconds, processor time, peak of memory in bytes and result of one side.

    A small file comes first, so that libraries are loaded.
    """
    function = {"numpy": norms, "strag": radii}[side]
    with tempfile.TemporaryDirectory() as folder:
        function(*make(folder, CLASSES * 2))
    start, begun = time.perf_counter(), time.process_time()
    result = function(h, y)
    seconds, processor = time.perf_counter() - start, time.process_time() - begun
    status = Path("/proc/self/status").read_text()  # ru_maxrss starts from the memory of the parent process
    peak = 1024 * int(status.partition("VmHWM:")[2].split()[0])
    return {"seconds": seconds, "processor": processor, "peak_bytes": peak, "result": list(result)}


def measured(name, paths, threads):
    """What a process says of one side."""
    environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    command = [sys.executable, "-m", __spec__.name, json.dumps({"side": name, "h": paths[0], "y": paths[1]})]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment).stdout)


def compare(rows, repetitions, threads):
    """Seconds of both sides, their ratio within each repetition, and the peak of memory of strag."""
    with tempfile.TemporaryDirectory() as folder:
        few = make(folder, FEW)
        np.testing.assert_allclose(measured("strag", few, threads)["result"], plain(*few), rtol=1e-9)
        paths = make(folder, rows)
        found = {name: [] for name in SIDES}
        for number in range(-1, repetitions):  # the first one warms the cache
            for name in SIDES:
                one = measured(name, paths, threads)
                if number >= 0:
                    found[name].append(one)
                    print(f"{number + 1}/{repetitions} {name}: {one['seconds']:.2f} s", file=sys.stderr)
    return {
        "ratio": ratio(found, "seconds"),
        "ratio of processor time": ratio(found, "processor"),
        **{name: spread([one["seconds"] for one in found[name]]) for name in SIDES},
        "peak_bytes": max(one["peak_bytes"] for one in found["strag"]),
    }


def ratio(found, what):
    """The ratio of strag to numpy within each repetition, as `spread`."""
    pairs = zip(found["strag"], found["numpy"], strict=True)
    return spread([ours[what] / theirs[what] for ours, theirs in pairs])


def markdown(results):
    """The table of the ratio, and what it was measured on."""
    here, rows = results["machine"], []
    for key, what in (("ratio", "time"), ("ratio of processor time", "processor time")):
        of = results[key]
        rows.append(f"| {what} | {of['median']:.2f} | {of['low']:.2f} to {of['high']:.2f} |\n")
    return (
        "| strag geometry / reading and norms with numpy | median | smallest to largest |\n|---|---|---|\n"
        f"{''.join(rows)}\n{results['rows']:,} x {UNITS} float32, {CLASSES} classes; "
        f"{here['processor']}, {results['threads']} thread, the file in the page cache; Python "
        f"{here['python']}; {results['date']}; n = {results['repetitions']} repetitions in turn. Seconds: "
        f"numpy {results['numpy']['median']:.2f}, strag {results['strag']['median']:.2f}; peak of memory of "
        f"strag {results['peak_bytes'] / 2**20:.0f} MiB.\n"
    )


def main():
    """Measure one side, or compare, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("side", nargs="?", type=json.loads)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", default=str(Path(__file__).with_suffix(".json")), help="where to write it")
    options = parser.parse_args()
    if options.side:
        print(json.dumps(side(**options.side)))
        return
    results = {
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
        "rows": options.rows,
        "repetitions": options.repetitions,
        "threads": options.threads,
        **compare(options.rows, options.repetitions, options.threads),
    }
    Path(options.keep).write_text(json.dumps(results, indent=1) + "\n")
    print(markdown(results))
    assert results["peak_bytes"] < LIMIT, "strag needs more memory than it may"


if __name__ == "__main__":
    main()
