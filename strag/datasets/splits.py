"""The splits of a data set in parquet or Arrow files: their files, and the training and the test split."""

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
_DEEPEST = 3  # most levels of folders that are searched
_MOST = 10_000  # most entries of folders that are searched


def find_splits(folder):
    """The splits of the data set in a folder of parquet or Arrow files: dict of name to files, in order.

    Either Hugging Face's save_to_disk wrote the folder, or the names of its files or subfolders say which
    split they are. The dict is empty if there are no such files. Raises StragError if the folder holds
    several data sets, or if a file is missing.
    """
    folder = Path(folder)
    if (folder / "dataset_dict.json").is_file():
        names = _listed(folder / "dataset_dict.json", "splits")
        return {_standard_name(name): _saved(folder / name) for name in names if _is_plain(name)}
    if (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file():
        return {"train": _saved(folder)}
    return _by_name(folder)


def _standard_name(name):
    """`train`, `test` or `validation` if a name means one of them; other names are returned as they are."""
    return SPLIT_OF.get(name.lower(), name)


def _is_plain(name):
    """Whether a value is the name of a file without folders."""
    return isinstance(name, str) and name not in ("", ".", "..") and Path(name).name == name


def _listed(path, key):
    """The list under a key of a JSON file. Raises StragError if there is none."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise StragError("is missing", "copy the folder again", path) from None
    except OSError as error:
        raise StragError(f"cannot be read: {error.strerror}", "change its permissions", path) from None
    except (ValueError, RecursionError):
        raise StragError("is not JSON", "copy the folder again", path) from None
    values = content.get(key) if isinstance(content, dict) else None
    if not isinstance(values, list):
        raise StragError(f"has no list '{key}'", "copy the folder again", path)
    return values


def _saved(folder):
    """The files of a split that save_to_disk wrote."""
    files = _listed(folder / "state.json", "_data_files")
    names = [file.get("filename") if isinstance(file, dict) else None for file in files]
    if not names or not all(map(_is_plain, names)):
        raise StragError("does not list files of its folder", "copy the folder again", folder / "state.json")
    for name in names:
        if not (folder / name).is_file():
            raise StragError(f"lacks its file {name}", "copy the folder again", folder)
    return [folder / name for name in names]


def _by_name(folder):
    """The splits of a folder by the names of files and subfolders: dict of name to files, in order."""
    files = _below(folder)
    places = {}
    for path in files:
        split, place = _split_of(path.relative_to(folder))
        places.setdefault(place, {}).setdefault(split, []).append(path)
    if len(places) > 1:
        raise StragError(f"holds several data sets, {some_of(map(repr, places))}", "pass one of them", folder)
    splits = next(iter(places.values()), {})
    if len({path.suffix.lower() for parts in splits.values() for path in parts}) > 1:
        raise StragError("holds both parquet and Arrow files", "keep only one kind", folder)
    for parts in splits.values():
        _check_whole(parts, folder)
    if len(splits) > 1 and not splits.keys() & {"train", "test", "validation"}:
        problem = f"holds several tables, {some_of(map(repr, splits))}"
        raise StragError(problem, "pass one of them, or rename them to train and test", folder)
    return splits


def _below(folder):
    """The parquet and Arrow files in a folder and its subfolders, sorted, without hidden ones."""
    files, layer, seen = [], [folder], 0
    for _ in range(_DEEPEST + 1):
        entries = []
        for place in layer:
            for path in sorted(place.iterdir()):
                seen += 1
                if seen > _MOST:
                    if files:
                        remedy = "pass a folder that holds only one data set"
                        raise StragError(f"holds more than {_MOST} files", remedy, folder)
                    return []
                entries += [] if path.name.startswith(".") else [path]
        files += [path for path in entries if path.suffix.lower() in SUFFIXES and path.is_file()]
        layer = [path for path in entries if path.is_dir()]
    return sorted(files, key=_in_order)


def _in_order(path):
    """The key by which paths are sorted: numbers in their names count by value."""
    words = [re.split(r"(\d+)", part) for part in path.parts]
    return [[int(word) if at % 2 else word for at, word in enumerate(part)] for part in words], path


def _split_of(path):
    """The split that the name of a file, or else of its folder, states, and the path of the other folders."""
    folders = [part for part in path.parts[:-1] if part != "data"]
    named = _SPLIT.search(path.stem)
    for place, part in enumerate(folders):
        if not named and _SPLIT.fullmatch(part):
            named = _SPLIT.fullmatch(part)
            del folders[place]
    split = named[1].lower() if named else _COUNTED.sub("", path.stem)
    return _standard_name(split), "/".join(folders)


def parts_of(path):
    """The number of files of a split that the name of a file states, as in -0-of-4; 1 if it states none."""
    named = _PART.search(path.stem)
    return int(named[2]) if named else 1


def _check_whole(parts, folder):
    """Raise StragError if a split has more or fewer files than their names state."""
    stated = max(map(parts_of, parts))
    if len(parts) != stated and stated > 1:
        problem = f"holds {len(parts)} of {stated} files like {parts[0].name}"
        raise StragError(problem, "copy the missing files and remove all others", folder)


def train_and_test(splits, source):
    """The names of the training split and of the test split (or None), and notes.

    A validation split is the test set only if there is no test split. source : the folder, for errors.
    """
    if len(splits) == 1:
        name = next(iter(splits))
        note = [f"holds only the split '{name}', which becomes the training set"]
        return name, None, note if name in ("test", "validation") else []
    if "train" not in splits:
        problem = f"has no split 'train', only {some_of(splits)}"
        raise StragError(problem, "rename one of them to train", source)
    test = next((name for name in ("test", "validation") if name in splits), None)
    notes = [f"the split '{test}' is the test set"] if test == "validation" else []
    others = [name for name in splits if name not in ("train", test)]
    return "train", test, notes + ([f"left out: {some_of(others)}"] if others else [])
