"""Copy results and pictures to where the report reads them, in few bytes.

    python collect.py OUT FOLDER FILE...   copies OUT/c3/size.json to FOLDER/results/c3-size.json, and so on

Numbers keep eight digits, and JSON has one line per member of its object. Pictures get a palette of 128
colours. Collecting a copy again changes nothing.
"""

import argparse
import json
from pathlib import Path

from PIL import Image

from strag.files.canonical import finite

DIGITS = 8
COLOURS = 128


def collect_json(source, target):
    """Copy a JSON object with numbers of DIGITS significant digits."""
    rounded = json.loads(source.read_text(), parse_float=lambda text: float(f"{float(text):.{DIGITS}g}"))
    compact = {"separators": (",", ":"), "allow_nan": False}
    members = [f"{json.dumps(key)}:{json.dumps(value, **compact)}" for key, value in finite(rounded).items()]
    target.write_text("{\n" + ",\n".join(members) + "\n}\n")


def collect_png(source, target):
    """Copy a picture with COLOURS colours that cover its own."""
    with Image.open(source) as picture:
        few = picture
        if picture.mode != "P":
            method = Image.Quantize.MAXCOVERAGE  # the other methods lose faint areas
            few = picture.convert("RGB").quantize(COLOURS, method, dither=Image.Dither.NONE)
        few.save(target, "PNG", optimize=True, dpi=picture.info.get("dpi"))


KINDS = {".json": ("results", collect_json), ".png": ("pictures", collect_png)}


def main():
    """Read the arguments, and replace the results and pictures in the folder by the copies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the folder in which the experiments were made")
    parser.add_argument("folder", type=Path, help="where results/ and pictures/ are")
    parser.add_argument("files", type=Path, nargs="+", help="files in the first folder")
    chosen = parser.parse_args()
    for suffix, (part, _) in KINDS.items():
        (chosen.folder / part).mkdir(parents=True, exist_ok=True)
        for path in (chosen.folder / part).glob(f"*{suffix}"):
            path.unlink()
    for source in chosen.files:
        part, collect = KINDS[source.suffix]
        name = "-".join(source.relative_to(chosen.out).parts)
        collect(source, chosen.folder / part / name)


if __name__ == "__main__":
    main()
