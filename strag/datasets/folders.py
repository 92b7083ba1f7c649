"""The image files in a folder, by class and by training or test set. No image is decoded here."""

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

    root : the folder. train, test : lists of pairs (path, name of the class), broken links included; test is
    None without a test set. notes : lines on everything that was left out.
    """

    root: Path
    train: list = field(default_factory=list)
    test: list | None = None
    notes: list = field(default_factory=list)
    _left_out: list = field(default_factory=list)

    @classmethod
    def of(cls, folder):
        """The ImageFiles of a folder of class folders, or of split folders with class folders in each.

        Classes are in the order of their names, or of their numbers if all names are whole numbers. The files
        of a class are in the order of their names. Raises StragError if the folder is neither of the two, or
        a mixture.
        """
        files = cls(Path(folder))
        top = _inmost(files.root)
        if top != files.root:
            files.notes.append(f"the classes are those in its folder {files._name(top)}")
        parts = files._parts(top)
        if parts:
            files._check_loose(top)
            files.train = files._classes(parts["train"])
            if "test" in parts:
                files.test = files._classes(parts["test"], dict.fromkeys(name for _, name in files.train))
        else:
            files.train = files._classes(top)
        if files._left_out:
            count = number_of(len(files._left_out), "file")
            files.notes.append(f"left out {count} not of type {KINDS}: {some_of(files._left_out)}")
        return files

    def _name(self, path):
        """The path below the root, for notes."""
        return path.relative_to(self.root).as_posix()

    def _parts(self, top):
        """Dict of `train` and, if it exists, `test` to their folders; {} if there are no split folders."""
        folders = class_folders(top)
        parts = {
            part: [path for path in folders if SPLIT_OF.get(path.name.lower()) == part] for part in SPLITS
        }
        part_of = {path: part for part, paths in parts.items() for path in paths}
        if not part_of:
            return {}
        for path in folders:
            if path not in part_of and _holds_image(path):
                split = next(iter(part_of)).name
                problem = f"holds {split}, the name of a split, and {path.name}, which is not"
                raise StragError(problem, f"move {path.name} away, or rename {split} if it is a class", top)
            if path not in part_of:
                self.notes.append(f"left out the folder {self._name(path)}, which holds no images")
        for part, paths in parts.items():
            if len(paths) > 1:
                title = "training" if part == "train" else part
                problem = f"holds {paths[0].name} and {paths[1].name}, which both mean the {title} set"
                raise StragError(problem, "keep only one of them", top)
        parts = {part: paths[0] for part, paths in parts.items() if paths}
        if "train" not in parts:
            problem = f"holds {next(iter(part_of)).name} but no training images"
            raise StragError(problem, "put the training images into a folder called train", top)
        return self._without_validation(parts)

    def _without_validation(self, parts):
        """The folders of `_parts` without `validation`, which becomes the test set if there is no other."""
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

    def _classes(self, folder, training_classes=None):
        """Pairs (path, class) of all images in a folder of class folders.

        training_classes : for the test set, the classes of the training set, else None.
        """
        folders = class_folders(folder)
        self._check_loose(folder)
        if not folders or (training_classes is None and len(folders) < 2):
            problem = f"holds {'only one class folder' if folders else 'no class folders'}"
            requirement = "" if training_classes else ", for at least two classes"
            raise StragError(problem, f"provide one folder of images per class{requirement}", folder)
        _check_names(folders)
        pairs = []
        for path in folders:
            if training_classes is not None and path.name not in training_classes:
                problem = f"is not a class of the training set ({some_of(training_classes)})"
                raise StragError(problem, "use the same class folders in the training and test set", path)
            pairs += [(image, path.name) for image in self._of_class(path)]
        return pairs

    def _check_loose(self, folder):
        """Raise StragError if a folder that should hold folders holds an image."""
        loose = self._images(folder)
        if loose and not loose[0].exists():
            raise StragError(f"holds a broken link, {loose[0].name}", "repair or remove it", folder)
        if loose:
            contrast = "as well as class folders" if class_folders(folder) else "but no class folders"
            problem = f"holds the image {loose[0].name} {contrast}"
            raise StragError(problem, "move every image into the folder of its class", folder)

    def _of_class(self, folder):
        """The images in a class folder. Raises StragError if it has none, or if a folder in it has images."""
        images = self._images(folder)
        for path in class_folders(folder):
            if _holds_image(path):
                problem = f"is a class folder, but holds the folder {path.name}"
                remedy = "put the images directly into CLASS/, or into train/CLASS/ and test/CLASS/"
                raise StragError(problem, remedy, folder)
            self.notes.append(f"left out the folder {self._name(path)}, which holds no images")
        if not images:
            remedy = f"add {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} files, or remove the folder"
            raise StragError("is a class folder without images", remedy, folder)
        return images

    def _images(self, folder):
        """The images and broken links directly in a folder. Its other files are noted as left out."""
        images = []
        for path, kind in _entries(folder):
            if kind == "nothing" or (kind == "file" and is_image(path)):
                images.append(path)
            elif kind != "folder":
                self._left_out.append(self._name(path))
        return images


def class_folders(folder):
    """The folders in a folder, in the order of their names, or of their numbers if all names are numbers.

    Hidden folders and those that operating systems create are ignored.
    """
    folders = [path for path, kind in _entries(folder) if kind == "folder"]
    if all(_WHOLE.fullmatch(path.name) for path in folders):
        folders.sort(key=lambda path: int(path.name))
    return folders


def _entries(folder):
    """Pairs (path, kind) of the entries of a folder, sorted by name, without hidden ones. See `_kind`."""
    with os.scandir(folder) as entries:
        entries = sorted(entries, key=lambda entry: entry.name)
    hidden = (entry.name.startswith(".") or entry.name.lower() in _LITTER for entry in entries)
    shown = [entry for entry, is_hidden in zip(entries, hidden, strict=True) if not is_hidden]
    return [(Path(entry.path), _kind(entry)) for entry in shown]


def _kind(entry):
    """The kind of an entry: `folder`, `file`, `nothing` for a broken link, or `other`."""
    try:
        if entry.is_dir():
            return "folder"
        if entry.is_file():
            return "file"
        return "other" if os.path.exists(entry.path) else "nothing"
    except OSError:  # a circle of links
        return "nothing"


def _images_below(folder):
    """Yield the images in a folder and its subfolders. Links cannot make it visit a folder twice."""
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
    """Whether there is an image in a folder or its subfolders."""
    return next(_images_below(folder), None) is not None


def _inmost(folder):
    """The folder with the classes: `folder` itself, or the only folder in it, as in an unpacked archive."""
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
    """Raise StragError if a class name is not printable, or if two differ only in spaces at their ends."""
    seen = {}
    for path in folders:
        if not path.name.isprintable():
            problem = f"holds the class {path.name!r}, whose name is not printable text"
            raise StragError(problem, "rename it", path.parent)
        other = seen.setdefault(path.name.strip(), path.name)
        if other != path.name:
            problem = f"holds the classes '{other}' and '{path.name}', which differ only in spaces"
            raise StragError(problem, "rename one of them", path.parent)
