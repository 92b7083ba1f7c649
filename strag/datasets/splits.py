"""Which files of a folder are the parts of a data set, and which parts are its training and test set."""

import json
import re
from pathlib import Path

from strag.datasets.roles import SPLIT_OF
from strag.errors import StragError
from strag.words import some_of

SUFFIXES = (".parquet", ".arrow", ".feather")
_SPLIT = re.compile(rf"(?:^|[-_.])({'|'.join(SPLIT_OF)})(?:[-_.]|$)", re.IGNORECASE)
_PART = re.compile(r"-(\d+)-of-(\d+)")
_COUNTED = re.compile(r"[-_.]?\d.*$")
_DEEPEST = 3  # folders below the given one
_MOST = 10_000  # entries that are looked at


def find_splits(folder):
    """Dict of split name to its files, in order, of a data set in parquet or Arrow files; {} without any.

    The folder is one that Hugging Face's save_to_disk wrote, or holds files that are named after their split
    or lie in a folder named so. Raises StragError for several data sets, and where a file is missing.
    """
    folder = Path(folder)
    if (folder / "dataset_dict.json").is_file():
        splits = _listed(folder / "dataset_dict.json", "splits")
        found = {_called(name): _saved(folder / name) for name in splits if _is_plain(name)}
    elif (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file():
        found = {"train": _saved(folder)}
    else:
        found = _by_name(folder)
    return found


def _called(name):
    return SPLIT_OF.get(name.lower(), name)


def _is_plain(name):
    return isinstance(name, str) and name not in ("", ".", "..") and Path(name).name == name


def _listed(path, key):
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise StragError("is missing", "copy the folder again", path) from None
    except OSError as error:
        raise StragError(f"cannot be read: {error.strerror}", "change its permissions", path) from None
    except (ValueError, RecursionError):
        raise StragError("is no JSON", "copy the folder again", path) from None
    found = content.get(key) if isinstance(content, dict) else None
    if not isinstance(found, list):
        raise StragError(f"holds no list '{key}'", "copy the folder again", path)
    return found


def _saved(folder):
    """The files of one data set that save_to_disk wrote."""
    files = _listed(folder / "state.json", "_data_files")
    names = [one.get("filename") if isinstance(one, dict) else None for one in files]
    if not names or not all(map(_is_plain, names)):
        raise StragError("names no files of its folder", "copy the folder again", folder / "state.json")
    for name in names:
        if not (folder / name).is_file():
            raise StragError(f"lacks its file {name}", "copy the folder again", folder)
    return [folder / name for name in names]


def _by_name(folder):
    files = _below(folder)
    places = {}
    for path in files:
        split, place = _split_of(path.relative_to(folder))
        places.setdefault(place, {}).setdefault(split, []).append(path)
    if len(places) > 1:
        raise StragError(f"holds several data sets, {some_of(map(repr, places))}", "give one of them", folder)
    found = next(iter(places.values()), {})
    if len({path.suffix.lower() for parts in found.values() for path in parts}) > 1:
        raise StragError("holds both parquet and Arrow files", "keep one of them", folder)
    for parts in found.values():
        _check_whole(parts, folder)
    if len(found) > 1 and not found.keys() & {"train", "test", "validation"}:
        problem = f"holds several tables, {some_of(map(repr, found))}"
        raise StragError(problem, "give one of them, or call them train and test", folder)
    return found


def _below(folder):
    """Files of these suffixes in a folder and those below, without hidden ones."""
    found, layer, seen = [], [folder], 0
    for _ in range(_DEEPEST + 1):
        entries = []
        for place in layer:
            for path in sorted(place.iterdir()):
                seen += 1
                if seen > _MOST:
                    if found:
                        remedy = "give a folder that holds one data set alone"
                        raise StragError(f"holds more than {_MOST} files", remedy, folder)
                    return []
                entries += [] if path.name.startswith(".") else [path]
        found += [path for path in entries if path.suffix.lower() in SUFFIXES and path.is_file()]
        layer = [path for path in entries if path.is_dir()]
    return sorted(found, key=_in_order)


def _in_order(path):
    """What paths are sorted by: numbers in their names by their value."""
    words = [re.split(r"(\d+)", part) for part in path.parts]
    return [[int(word) if at % 2 else word for at, word in enumerate(part)] for part in words], path


def _split_of(path):
    """The split that a path names, by its file or else a folder, and where it lies beside that."""
    folders = [part for part in path.parts[:-1] if part != "data"]
    named = _SPLIT.search(path.stem)
    for place, part in enumerate(folders):
        if not named and _SPLIT.fullmatch(part):
            named = _SPLIT.fullmatch(part)
            del folders[place]
    split = named[1].lower() if named else _COUNTED.sub("", path.stem)
    return _called(split), "/".join(folders)


def parts_of(path):
    """How many files a data set has, as the name of one of them says: 1 where it says nothing."""
    named = _PART.search(path.stem)
    return int(named[2]) if named else 1


def _check_whole(parts, folder):
    wanted = max(map(parts_of, parts))
    if len(parts) != wanted and wanted > 1:
        problem = f"holds {len(parts)} of {wanted} files like {parts[0].name}"
        raise StragError(problem, "copy the missing ones, and keep no others", folder)


def train_and_test(splits, source):
    """Names of the training split and of the test split, or None, and notes on what is left out.

    A validation split is the test set only where there is none.
    """
    if len(splits) == 1:
        only = next(iter(splits))
        note = [f"holds the split '{only}' alone, which becomes the training set"]
        return only, None, note if only in ("test", "validation") else []
    if "train" not in splits:
        raise StragError(f"has no split 'train', but {some_of(splits)}", "call one of them train", source)
    test = next((name for name in ("test", "validation") if name in splits), None)
    notes = [f"the split '{test}' is the test set"] if test == "validation" else []
    out = [name for name in splits if name not in ("train", test)]
    return "train", test, notes + ([f"left out: {some_of(out)}"] if out else [])
