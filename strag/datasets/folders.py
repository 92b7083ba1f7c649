"""Which files in a folder are images of which class and of which part; none of them is decoded here."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from strag.datasets.pixels import KINDS, SUFFIXES, is_image
from strag.datasets.roles import SPLIT_OF, SPLITS
from strag.errors import StragError
from strag.words import number_of, some_of

_LITTER = (
    *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin"),
    *("system volume information", "lost+found"),
)
_WHOLE = re.compile("[0-9]{1,7}")


@dataclass
class ImageFiles:
    """The images in a folder.

    train, test : pairs (path, name of the class); test is None where there is no such part. Links to nothing
    are among them. notes : one line each on what was left out.
    """

    root: Path
    train: list = field(default_factory=list)
    test: list | None = None
    notes: list = field(default_factory=list)
    _left_out: list = field(default_factory=list)

    @classmethod
    def of(cls, folder):
        """Look through a folder of classes, or of parts with such classes each.

        Classes come in the order of their names, of their numbers where all names are whole numbers; files of
        a class in the order of their names. Raises StragError for a folder that is neither, or both.
        """
        found = cls(Path(folder))
        top = _inmost(found.root)
        if top != found.root:
            found.notes.append(f"the classes are those of the folder {found._name(top)} in it")
        parts = found._parts(top)
        if parts:
            found._check_loose(top)
            found.train = found._classes(parts["train"])
            if "test" in parts:
                found.test = found._classes(parts["test"], dict.fromkeys(name for _, name in found.train))
        else:
            found.train = found._classes(top)
        if found._left_out:
            count = number_of(len(found._left_out), "file")
            found.notes.append(
                f"left out {count} of no kind that is read ({KINDS}): {some_of(found._left_out)}"
            )
        return found

    def _name(self, path):
        return path.relative_to(self.root).as_posix()

    def _parts(self, top):
        """The folders of training and of test examples, or nothing where the folder is no split."""
        folders = class_folders(top)
        parts = {
            part: [path for path in folders if SPLIT_OF.get(path.name.lower()) == part] for part in SPLITS
        }
        known = {path: part for part, paths in parts.items() for path in paths}
        if not known:
            return {}
        for path in folders:
            if path not in known and _holds_image(path):
                named = next(iter(known)).name
                problem = f"holds {named}, which means a part of a split, beside {path.name}"
                raise StragError(problem, f"move {path.name} away, or rename {named} if it is a class", top)
            if path not in known:
                self.notes.append(f"left out the folder {self._name(path)}, which holds no images")
        for part, paths in parts.items():
            if len(paths) > 1:
                problem = f"holds {paths[0].name} and {paths[1].name}, of which each is the {part} part"
                raise StragError(problem, "leave one of them in the folder", top)
        parts = {part: paths[0] for part, paths in parts.items() if paths}
        if "train" not in parts:
            problem = f"holds {next(iter(known)).name}, but no training images"
            raise StragError(problem, "put them into a folder that is called train", top)
        return self._without_validation(parts)

    def _without_validation(self, parts):
        validation = parts.pop("validation", None)
        if validation is None:
            return parts
        if "test" not in parts:
            self.notes.append(f"the test set is {self._name(validation)}, as there is no other")
            return parts | {"test": validation}
        count = number_of(sum(1 for _ in _images_below(validation)), "image")
        self.notes.append(
            f"left out {count} in {self._name(validation)}; the test set is {parts['test'].name}"
        )
        return parts

    def _classes(self, folder, known=None):
        """Pairs (path, class) of all images in a folder of classes."""
        folders = class_folders(folder)
        self._check_loose(folder)
        if not folders or (known is None and len(folders) < 2):
            problem = f"holds {'one class folder only' if folders else 'no class folders'}"
            least = "" if known else ", for two classes at least"
            raise StragError(problem, f"give one folder of images per class{least}", folder)
        _check_names(folders)
        pairs = []
        for path in folders:
            if known is not None and path.name not in known:
                problem = f"is a class that the training images lack ({some_of(known)})"
                raise StragError(problem, "give training and test the same class folders", path)
            pairs += [(image, path.name) for image in self._of_class(path)]
        return pairs

    def _check_loose(self, folder):
        """No image lies beside the folders in a folder."""
        loose = self._images(folder)
        if loose and not loose[0].exists():
            raise StragError(f"holds a link to nothing, {loose[0].name}", "mend or remove it", folder)
        if loose:
            beside = "beside its class folders" if class_folders(folder) else "but no class folders"
            problem = f"holds an image {beside}, {loose[0].name}"
            raise StragError(problem, "put every image into the folder of its class", folder)

    def _of_class(self, folder):
        images = self._images(folder)
        for path in class_folders(folder):
            if _holds_image(path):
                problem = f"is a class folder that holds a folder, {path.name}"
                remedy = "put images right into the folder of their class, and at most train and test above"
                raise StragError(problem, remedy, folder)
            self.notes.append(f"left out the folder {self._name(path)}, which holds no images")
        if not images:
            remedy = f"give it {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} files, or remove it"
            raise StragError("is a class folder without images", remedy, folder)
        return images

    def _images(self, folder):
        """Images right in a folder; what else lies there is left out, but for its folders."""
        images = []
        for path, kind in _entries(folder):
            if kind == "nothing" or (kind == "file" and is_image(path)):
                images.append(path)
            elif kind != "folder":
                self._left_out.append(self._name(path))
        return images


def class_folders(folder):
    """The folders in a folder, in the order of their names, or numbers; without hidden ones and litter."""
    folders = [path for path, kind in _entries(folder) if kind == "folder"]
    if all(_WHOLE.fullmatch(path.name) for path in folders):
        folders.sort(key=lambda path: int(path.name))
    return folders


def _entries(folder):
    """Pairs (path, kind) of what lies in a folder, sorted by name: a folder, a file, nothing or other."""
    with os.scandir(folder) as entries:
        entries = sorted(entries, key=lambda entry: entry.name)
    hidden = (entry.name.startswith(".") or entry.name.lower() in _LITTER for entry in entries)
    shown = [entry for entry, is_hidden in zip(entries, hidden, strict=True) if not is_hidden]
    return [(Path(entry.path), _kind(entry)) for entry in shown]


def _kind(entry):
    try:
        if entry.is_dir():
            return "folder"
        if entry.is_file():
            return "file"
        return "other" if os.path.exists(entry.path) else "nothing"
    except OSError:  # links that lead to each other
        return "nothing"


def _images_below(folder):
    """All images in a folder and the folders in it, each folder once."""
    waiting, seen = [Path(folder)], set()
    while waiting:
        folder = waiting.pop()
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for path, kind in _entries(folder):
            if kind == "folder":
                waiting.append(path)
            elif kind == "file" and is_image(path):
                yield path


def _holds_image(folder):
    return next(_images_below(folder), None) is not None


def _inmost(folder):
    """The folder itself or, where it holds nothing but one folder of folders, as archives do, that one."""
    for _ in range(8):
        folders = class_folders(folder)
        if len(folders) != 1 or folders[0].name.lower() in SPLIT_OF:
            return folder
        inner = _entries(folders[0])
        if any(kind == "file" and is_image(path) for path, kind in _entries(folder) + inner):
            return folder
        if not any(kind == "folder" for _, kind in inner):
            return folder
        folder = folders[0]
    return folder


def _check_names(folders):
    """Class names are text, and differ by more than spaces at their ends."""
    seen = {}
    for path in folders:
        if not path.name.isprintable():
            problem = f"holds the class {path.name!r}, whose name is no text"
            raise StragError(problem, "rename it", path.parent)
        other = seen.setdefault(path.name.strip(), path.name)
        if other != path.name:
            problem = f"holds the classes '{other}' and '{path.name}', which differ in spaces alone"
            raise StragError(problem, "rename one of them", path.parent)
