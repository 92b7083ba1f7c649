"""What the names of files and arrays say: training or test, examples or labels."""

import itertools
import re
from dataclasses import dataclass, field

from strag.errors import StragError, bad_usage
from strag.words import some_of

ORDER = ("x", "y", "x_test", "y_test")

# What folders and files are called that hold a part of a data set.
SPLITS = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("val", "valid", "validation", "dev"),
}
_SHORT = {"tr": "train", "te": "test", "t10k": "test"}  # in names of files and arrays alone
_WHATS = {
    "examples": ("x", "images", "image", "imgs", "img", "data", "features", "inputs", "examples", "pixels"),
    "labels": ("y", "labels", "label", "lbls", "targets", "target", "classes"),
}
SPLIT_OF = {word: split for split, words in SPLITS.items() for word in words}
_SPLIT = {**SPLIT_OF, **_SHORT}
_WHAT = {word: what for what, words in _WHATS.items() for word in words}
# Words written as one, such as xtrain and testlabels. Of tr and te only what ends in them: try is a word.
_GLUED = {
    glued: (split, what)
    for split in _SPLIT
    for what in _WHAT
    for glued in (split + what, what + split)
    if split not in ("tr", "te") or glued in ("xtr", "ytr", "xte", "yte")
}
# What has one of these in its name is about examples or classes, and neither of them itself.
_ABOUT = {
    *("names", "name", "ids", "id", "index", "indices", "filenames", "filename", "files", "paths", "path"),
    *("keys", "mean", "means", "std", "shape", "size", "sizes", "weights", "weight", "mask", "counts"),
}
_FORMAT = re.compile(r"idx\d?|u?byte|int|npy|npz|bin|dat|gz")  # words on how a file is written
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_POSITION = re.compile(r"arr_(\d+)")


@dataclass(frozen=True)
class Role:
    """What a name says.

    split : 'train', 'test', 'validation' or None. what : 'examples', 'labels' or None. rest : the other
    words, joined by hyphens, which say of which data set.
    """

    split: str | None
    what: str | None
    rest: str

    def __str__(self):
        adjective = {"train": "training ", None: ""}.get(self.split, f"{self.split} ")
        return f"{adjective}{self.what or 'part'}"


def words_of(name):
    """The words in a name, in small letters; what is written as one, such as xtrain, is taken apart."""
    words = []
    for word in re.split(r"[\W_]+", _CAMEL.sub(" ", name)):
        words += _GLUED.get(word.lower(), (word.lower(),)) if word else ()
    return words


def role_of(name):
    """The Role in a name. Labels of examples are labels; of two parts that are named, neither is meant."""
    words = words_of(name)
    splits = {_SPLIT[word] for word in words if word in _SPLIT}
    whats = {_WHAT[word] for word in words if word in _WHAT}
    what = "labels" if len(whats) == 2 else next(iter(whats), None)
    rest = (word for word in words if not (word in _SPLIT or word in _WHAT or _FORMAT.fullmatch(word)))
    return Role(
        next(iter(splits)) if len(splits) == 1 else None,
        None if _ABOUT & set(words) else what,
        "-".join(rest),
    )


def is_text_about(name, of):
    """Whether a name says that it holds names, of the `classes` or of the training `examples`."""
    words = set(words_of(name))
    if of == "classes":
        about = {*_WHATS["labels"], "class", "category", "categories"}
        return words == {"classes"} or bool(words & {"names", "name"} and words & about)
    names = {"names", "name", "ids", "id", "filenames", "filename", "files", "paths", "path"}
    return bool(words & names) and words <= {*names, *SPLITS["train"], "tr", *_WHATS["examples"]}


def assign(names):
    """Which of two, four or six files, given one after the other, is what: keys in their order, and a note.

    Keys are those of ORDER; a validation part that is not needed is None. Where the names fit one order
    alone, that decides; where they fit the order x y x_test y_test among others, that does. Raises StragError
    where they contradict each other, or fit several orders and not this one.
    """
    roles = [role_of(name) for name in names]
    named = {role.split for role in roles}
    splits = {2: ("train",), 4: ("train", "test"), 6: ("train", "validation", "test")}.get(len(names))
    if splits is None:
        problem = f"cannot tell {len(names)} files apart"
        raise bad_usage(problem, "give examples, labels [test examples, test labels]")
    if len(names) == 2 and len(named - {None}) == 1:
        splits = tuple(named - {None})  # a part alone is a data set
    if len(names) == 4 and "validation" in named and "test" not in named:
        splits = ("train", "validation")
    slots = [(split, what) for split in splits for what in _WHATS]
    fitting = [order for order in itertools.permutations(slots) if all(map(_fits, roles, order))]
    if len(names) == 6 and [role.split for role in roles].count("validation") != 2:
        fitting = []  # what is left out is what says so
    if len(fitting) == 1:
        order = fitting[0]
    elif tuple(slots) in fitting and len(names) != 6:
        order = tuple(slots)
    else:
        raise _ambiguous(names, roles, fitting or len(names) == 6)
    keys = dict(
        zip(slots, ORDER if len(names) < 6 else ("x", "y", None, None, "x_test", "y_test"), strict=False)
    )
    return [keys[slot] for slot in order], _note(names, roles, order, slots)


def _fits(role, slot):
    return role.split in (None, slot[0]) and role.what in (None, slot[1])


def _ambiguous(names, roles, several):
    said = [f"{name} {role}" for name, role in zip(names, roles, strict=True) if role.split or role.what]
    problem = "their names do not say which file is what" if several else "their names contradict each other"
    if said:
        problem += f" ({', '.join(said)})"
    return bad_usage(problem.replace("their", "the files'", 1), "rename them to x, y, x_test, y_test")


def _note(names, roles, order, slots):
    """What was taken as what, where names and not places decided, or a part is left out."""
    notes = []
    if list(order) != slots:
        taken = (f"{name} as {Role(*slot, '')}" for name, slot in zip(names, order, strict=True))
        notes.append(f"the names of the files decide: {', '.join(taken)}")
    left = [name for name, slot in zip(names, order, strict=True) if slot[0] == "validation"]
    if len(slots) == 6:
        notes.append(f"left out the validation part, {', '.join(left)}")
    elif left and len(slots) == 4:
        notes.append(f"the test set is the validation part, {', '.join(left)}, as there is no other")
    elif len(slots) == 2 and slots[0][0] != "train":
        notes.append(f"holds the {slots[0][0]} part alone, which becomes the training set")
    sets = _sets(roles, order)
    if sets:
        notes.append(f"the names speak of several data sets: {some_of(sets)}")
    return "; ".join(notes) or None


def _sets(roles, order):
    """The data sets that names speak of, where those of the test part share none with the training part."""
    sets = {}
    for role, (split, _) in zip(roles, order, strict=True):
        if not role.what or (role.split is None and split != "train"):
            return []
        if re.search("[a-z]", role.rest):
            sets.setdefault(split, []).append(role.rest)
    train, others = sets.pop("train", []), sets.get("test", sets.get("validation", []))
    return [] if set(train) & set(others) or not (train and others) else list(dict.fromkeys(train + others))


@dataclass
class Chosen:
    """Names by their role. parts : dict of ORDER's keys to names. unused : the other names. notes : lines."""

    parts: dict
    unused: list
    notes: list = field(default_factory=list)


def choose(names, noun, two, lacking):
    """The Chosen among the names of arrays, or of files that lie together.

    A name that says no part is of the training part, x, y, x_test and y_test come before all others, and the
    validation part is the test set where there is no other. Where no name says anything, arr_0 and so on are
    taken by their numbers. Raises StragError for two of one role, for half a test set, and without examples
    or labels.

    noun : what they are names of. two : takes a key of ORDER, what to do where two are of that role.
    lacking : what to do where one lacks.
    """
    found = _by_number(names) or _by_role(names)
    parts = {key: _only(found[key], key, two) for key in ORDER if key in found}
    notes = []
    if not {"x_test", "y_test"} & parts.keys() and {"x_val", "y_val"} <= found.keys():
        for key in ("x", "y"):
            parts[f"{key}_test"] = _only(found[f"{key}_val"], f"{key}_test", two)
        notes.append(f"the test set is {parts['x_test']} and {parts['y_test']}, as there is no other")
    for key in ORDER if {"x_test", "y_test"} & parts.keys() else ORDER[:2]:
        if key not in parts:
            part = Role("test" if "_test" in key else "train", _what(key), "")
            problem = f"has no {noun} of {part} (it holds {some_of(names) or 'nothing'})"
            raise StragError(problem, lacking)
    return Chosen(parts, [name for name in names if name not in parts.values()], notes)


def _what(key):
    return "examples" if key[0] == "x" else "labels"


def _by_number(names):
    """Lists of one name by key, for arr_0 and so on where no name says what it is."""
    numbered = sorted((name for name in names if _POSITION.fullmatch(name)), key=lambda name: int(name[4:]))
    if any(role_of(name).what for name in names) or len(numbered) not in (2, 4):
        return {}
    return {key: [name] for key, name in zip(ORDER, numbered, strict=False)}


def _by_role(names):
    found = {}
    for name in names:
        role = role_of(name)
        if role.what:
            end = {"test": "_test", "validation": "_val"}.get(role.split, "")
            found.setdefault(f"{'x' if role.what == 'examples' else 'y'}{end}", []).append(name)
    return found


def _only(names, key, two):
    """The one name among those of one role."""
    if key in names:
        return key
    names = [name for name in names if "classes" not in words_of(name)] or names  # often those of the names
    if len(names) > 1:
        what = Role("test" if "_test" in key else None, _what(key), "")
        raise StragError(f"'{names[0]}' and '{names[1]}' could both be the {what}", two(key))
    return names[0]
