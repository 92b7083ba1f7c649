"""strag against two plain loops, and against itself: `make bench`, or `python -m tests.benchmarks.run`.

Every number is measured in a process of its own; the sides of a comparison take turns, and a ratio is the
median over the repetitions of the ratio within one, with the smallest and the largest beside it. Writes
`results.json` and `results.md` beside this file, and the growth of the cost as `growth.png`.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
PLAIN = {"updates": 40, "runs": 2}  # enough for a steady time of one network-update
STRAG = {"updates": 100, "runs": 10}
BF16 = {"precision": "bfloat16"}
SIDES = {  # what is compared stands together
    "notebook": {"side": "notebook_like", **PLAIN},
    "strag": {"side": "strag", **STRAG},
    "products": {"side": "products", **STRAG},
    "products, bfloat16": {"side": "products", **STRAG, **BF16},
    "strag, bfloat16": {"side": "strag", **STRAG, **BF16},
    "careful": {"side": "careful", **PLAIN},
    "strag, 1 run": {"side": "strag", **STRAG, "runs": 1},
    "notebook, tested": {"side": "notebook_like", **PLAIN, "test": True},
    "strag, tested": {"side": "strag", **STRAG, "test": True},
    "380 runs": {"side": "strag", "updates": 8, "runs": 380},
    "380 sets": {"side": "weighted", "updates": 8, "runs": 380},
}
RATIOS = {  # what it says: (above, below)
    "notebook-like loop / strag, 10 runs": ("notebook", "strag"),
    "notebook-like loop / strag, 10 runs, bfloat16": ("notebook", "strag, bfloat16"),
    "careful loop / strag, 10 runs": ("careful", "strag"),
    "careful loop / strag, 10 runs, bfloat16": ("careful", "strag, bfloat16"),
    "careful loop / strag, 1 run": ("careful", "strag, 1 run"),
    "notebook-like loop / strag, both with test error at every update": ("notebook, tested", "strag, tested"),
    "share of the products' speed that strag reaches": ("products", "strag"),
    "the same in bfloat16": ("products, bfloat16", "strag, bfloat16"),
    "0/1 weights: 380 sets / 380 plain runs": ("380 sets", "380 runs"),
}
GROWTH = {
    "runs": [{"runs": n, "updates": max(2, 60 // n)} for n in (1, 2, 4, 8, 16, 32, 128, 1024)],
    "examples P": [{"P": n, "updates": max(2, 80000 // n)} for n in (1024, 4096, 8192, 16384, 60000)],
    "width N": [{"width": n, "updates": max(2, 200 // n)} for n in (10, 20, 50, 100, 200, 500, 1000)],
    "depth K": [{"depth": n, "updates": 10} for n in (2, 3, 4, 5, 6)],
}


def measure(side):
    """What `tests.benchmarks.side` says of one side."""
    command = [sys.executable, "-m", "tests.benchmarks.side", json.dumps(side)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def spread(values):
    """Median, smallest and largest."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def compare(repetitions):
    """Milliseconds per network-update of every side, and the ratios between them."""
    times = {name: [] for name in SIDES}
    for number in range(repetitions):
        for name, side in SIDES.items():
            times[name].append(1e3 * measure(side)["per_network_update"])
            print(f"{number + 1}/{repetitions} {name}: {times[name][-1]:.2f} ms", file=sys.stderr)
    ratios = {
        what: spread([a / b for a, b in zip(times[above], times[below], strict=True)])
        for what, (above, below) in RATIOS.items()
    }
    return {name: spread(values) for name, values in times.items()}, ratios


def growth():
    """Time per network-update and peak of memory along each axis: one measurement each."""
    found = {}
    for axis, sides in GROWTH.items():
        found[axis] = []
        for side in sides:
            result = measure({"side": "strag", "runs": 32, **side})
            name = axis.split()[0] if axis != "examples P" else "P"
            found[axis].append({"value": side[name], **result})
            print(f"{axis} {side[name]}: {1e3 * result['per_network_update']:.2f} ms", file=sys.stderr)
    return found


def panel_2d(notebook):
    """The agreement curve z(t): 500 pairs trained anew for t = 5, 10 ... 65, against one recorded pass.

    notebook : milliseconds per network-update of the plain loop, whose 455,000 would take hours.
    """
    updates = 1000 * sum(range(5, 66, 5))
    strag, folder = [sys.executable, "-m", "strag"], FOLDER / "out"
    folder.mkdir(exist_ok=True)
    history = str(folder / "panel2d.safetensors")
    training = [
        "train",
        "mnist8k",
        "--runs",
        "1000",
        "--epochs",
        "65",
        "--lr",
        "0.2",
        "--test-every",
        "never",
    ]
    start = time.perf_counter()
    subprocess.run([*strag, *training, "-q", "-o", history], check=True)
    middle = time.perf_counter()
    subprocess.run([*strag, "stability", history, "-q", "-o", str(folder / "stability.json")], check=True)
    end = time.perf_counter()
    os.unlink(history)
    return {
        "network_updates": updates,
        "train_seconds": middle - start,
        "stability_seconds": end - middle,
        "ratio": updates * notebook / 1e3 / (end - start),
    }


def machine():
    """What the figures were measured on."""
    import torch

    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), name)
    able = [key for key in ("avx512_bf16", "amx_bf16", "bf16") if torch.cpu.get_capabilities().get(key)]
    return {
        "processor": name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bfloat16": ", ".join(able) or "none",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def markdown(results):
    """The table that the README shows."""
    told = results["machine"]
    lines = [
        "| | median | smallest to largest |",
        "|---|---|---|",
        *(
            f"| {what} | {ratio['median']:.2f} | {ratio['low']:.2f} to {ratio['high']:.2f} |"
            for what, ratio in results["ratios"].items()
        ),
    ]
    if "panel 2d" in results:
        panel = results["panel 2d"]
        lines.append(
            f"| {panel['network_updates']:,} plain network-updates / 1000 recorded runs and `stability` "
            f"(once) | {panel['ratio']:.0f} | |"
        )
    times = results["times"]
    lines += [
        "",
        f"{told['processor']}, {told['cores']} cores, bfloat16 by {told['bfloat16']}; "
        f"Python {told['python']}, torch {told['torch']}; {results['date']}; "
        f"n = {results['repetitions']} repetitions in turn. "
        f"Milliseconds per network-update: notebook-like {times['notebook']['median']:.1f}, "
        f"careful {times['careful']['median']:.1f}, strag {times['strag']['median']:.2f} "
        f"(bfloat16 {times['strag, bfloat16']['median']:.2f}, "
        f"one run {times['strag, 1 run']['median']:.2f}).",
    ]
    return "\n".join(lines) + "\n"


def growth_table(found):
    """Time and memory along every axis."""
    lines = ["| | value | ms per network-update | peak memory, MiB |", "|---|---|---|---|"]
    for axis, rows in found.items():
        lines += [
            f"| {axis} | {row['value']:,} | {1e3 * row['per_network_update']:.2f} "
            f"| {row['peak_bytes'] / 2**20:.0f} |"
            for row in rows
        ]
    return "\n".join(lines) + "\n"


def growth_figure(found, path):
    """The cost of one network-update along every axis; its peak of memory stands in the table."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.6), layout="constrained")
    for axes, (axis, rows) in zip(figure.subplots(1, len(found)), found.items(), strict=True):
        values, times = [row["value"] for row in rows], [1e3 * row["per_network_update"] for row in rows]
        axes.plot(values, times, "o-", color="#0072B2", markersize=4)
        grows = axis in ("examples P", "width N")
        axes.set(
            xlabel=axis, xscale="linear" if axis == "depth K" else "log", yscale="log" if grows else "linear"
        )
        if not grows:
            axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3, which="both")
    figure.axes[0].set_ylabel("ms per network-update")
    figure.savefig(path, dpi=110)


def main():
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="keep growth and panel 2d as they were")
    options = parser.parse_args()
    kept = FOLDER / "results.json"
    before = json.loads(kept.read_text()) if options.quick and kept.exists() else {}
    times, ratios = compare(options.repetitions)
    results = {
        **before,
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
        "repetitions": options.repetitions,
        "times": times,
        "ratios": ratios,
    }
    if not options.quick:
        results["panel 2d"] = panel_2d(times["notebook"]["median"])
        results["growth"] = growth()
        growth_figure(results["growth"], FOLDER / "growth.png")
    text = markdown(results)
    growth_text = "\n" + growth_table(results["growth"]) if "growth" in results else ""
    kept.write_text(json.dumps(results, indent=1) + "\n")
    (FOLDER / "results.md").write_text(text + growth_text)
    print(text + growth_text)


if __name__ == "__main__":
    main()
