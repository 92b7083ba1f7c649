"""The role that the name of a file or array states: training or test set, examples or labels."""

import itertools
import re
from dataclasses import dataclass, field

from strag.errors import StragError, bad_usage
from strag.words import number_of, some_of

ORDER = ("x", "y", "x_test", "y_test")

# Words for the splits of a data set in names of folders, files and arrays.
SPLITS = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("val", "valid", "validation", "dev"),
}
_SHORT = {"tr": "train", "te": "test", "t10k": "test"}  # in names of files and arrays, not of folders
_WHATS = {
    "examples": ("x", "images", "image", "imgs", "img", "data", "features", "inputs", "examples", "pixels"),
    "labels": ("y", "labels", "label", "lbls", "targets", "target", "classes"),
}
SPLIT_OF = {word: split for split, words in SPLITS.items() for word in words}
_SPLIT = {**SPLIT_OF, **_SHORT}
_WHAT = {word: what for what, words in _WHATS.items() for word in words}
# Two words written as one, such as xtrain and testlabels. Of those with tr and te, only xtr, ytr, xte and yte
# count, because others, such as try, are words.
_GLUED = {
    glued: (split, what)
    for split in _SPLIT
    for what in _WHAT
    for glued in (split + what, what + split)
    if split not in ("tr", "te") or glued in ("xtr", "ytr", "xte", "yte")
}
# A name with one of these words is about examples or classes, but holds neither examples nor labels.
_ABOUT = {
    *("names", "name", "ids", "id", "index", "indices", "filenames", "filename", "files", "paths", "path"),
    *("keys", "mean", "means", "std", "shape", "size", "sizes", "weights", "weight", "mask", "counts"),
}
_FORMAT = re.compile(r"idx\d?|u?byte|int|npy|npz|bin|dat|gz")  # words on how a file is written
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_POSITION = re.compile(r"arr_(\d+)")


@dataclass(frozen=True)
class Role:
    """The role that a name states.

    split : 'train', 'test', 'validation' or None. what : 'examples', 'labels' or None. rest : the other
    words of the name, joined by hyphens, which may name the data set.
    """

    split: str | None
    what: str | None
    rest: str

    def __str__(self):
        adjective = {"train": "training ", None: ""}.get(self.split, f"{self.split} ")
        return f"{adjective}{self.what or 'part'}"


def words_of(name):
    """The words in a name, in lower case. Two words written as one, such as xtrain, are separated."""
    words = []
    for word in re.split(r"[\W_]+", _CAMEL.sub(" ", name)):
        words += _GLUED.get(word.lower(), (word.lower(),)) if word else ()
    return words


def role_of(name):
    """The Role that a name states. A name with words for both examples and labels means labels.

    A name with words for several splits states no split.
    """
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


def is_text_about(name, subject):
    """Whether the name of an array says that it holds names. subject : 'classes' or 'examples' (training)."""
    words = set(words_of(name))
    if subject == "classes":
        about = {*_WHATS["labels"], "class", "category", "categories"}
        return words == {"classes"} or bool(words & {"names", "name"} and words & about)
    names = {"names", "name", "ids", "id", "filenames", "filename", "files", "paths", "path"}
    return bool(words & names) and words <= {*names, *SPLITS["train"], "tr", *_WHATS["examples"]}


def assign(names):
    """The parts of a data set that two, four or six files hold: a list of keys, and a note.

    Keys are those of ORDER, or None for a validation set that is not needed. If the names fit exactly one
    assignment of keys to files, that is the result. If they fit several, the order of the files decides: x,
    y, x_test, y_test. The note is None if there is nothing to report.

    Raises StragError if the names contradict each other, or fit several assignments but not that order.
    """
    roles = [role_of(name) for name in names]
    named = {role.split for role in roles}
    splits = {2: ("train",), 4: ("train", "test"), 6: ("train", "validation", "test")}.get(len(names))
    if splits is None:
        problem = f"{number_of(len(names), 'file')} {'is' if len(names) == 1 else 'are'} given, not 2 or 4"
        raise bad_usage(problem, "pass examples, labels [test examples, test labels]")
    if len(names) == 2 and len(named - {None}) == 1:
        splits = tuple(named - {None})  # one split is a data set of its own
    if len(names) == 4 and "validation" in named and "test" not in named:
        splits = ("train", "validation")
    slots = [(split, what) for split in splits for what in _WHATS]
    fitting = [order for order in itertools.permutations(slots) if all(map(_fits, roles, order))]
    if len(names) == 6 and [role.split for role in roles].count("validation") != 2:
        fitting = []  # files are left out only if their names say validation
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
    """Whether a Role does not contradict a slot, a pair (split, what)."""
    return role.split in (None, slot[0]) and role.what in (None, slot[1])


def _ambiguous(names, roles, several):
    """The error for names that fit no assignment or, if `several`, more than one."""
    stated = [f"{name} {role}" for name, role in zip(names, roles, strict=True) if role.split or role.what]
    fault = "do not say what each file holds" if several else "contradict each other"
    stated_roles = f" ({', '.join(stated)})" if stated else ""
    return bad_usage(f"the files' names {fault}{stated_roles}", "rename the files to x, y, x_test, y_test")


def _note(names, roles, order, slots):
    """One line on files that are used by their names instead of their order, or left out; or None."""
    notes = []
    if list(order) != slots:
        used = (f"{name} as {Role(*slot, '')}" for name, slot in zip(names, order, strict=True))
        notes.append(f"files are used by their names: {', '.join(used)}")
    validation = [name for name, slot in zip(names, order, strict=True) if slot[0] == "validation"]
    if len(slots) == 6:
        notes.append(f"left out the validation set ({', '.join(validation)})")
    elif validation and len(slots) == 4:
        notes.append(f"the validation set ({', '.join(validation)}) is the test set, as there is no other")
    elif len(slots) == 2 and slots[0][0] != "train":
        notes.append(f"holds only the {slots[0][0]} set, which becomes the training set")
    sets = _sets(roles, order)
    if sets:
        notes.append(f"the names mention several data sets: {some_of(sets)}")
    return "; ".join(notes) or None


def _sets(roles, order):
    """The data sets that the names mention, if training and test files mention no common one; else []."""
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
    """Names by their role.

    parts : dict of keys in ORDER to names. unused : list of the other names. notes : lines on the choice.
    """

    parts: dict
    unused: list
    notes: list = field(default_factory=list)


def choose(names, noun, remedy_for_two, remedy_for_missing):
    """The Chosen among the names of arrays in a file, or of files in a folder.

    A name without a split means the training set. The names x, y, x_test and y_test take precedence over all
    others. The validation set is the test set if there is no other. If no name states a role, arr_0, arr_1
    and so on are used in the order of their numbers. Raises StragError if two names have one role, if the
    test set has only examples or only labels, and if there are no training examples or labels.

    noun : `array` or `file`, for messages. remedy_for_two : function of a key in ORDER that returns the
    remedy if two names have that role. remedy_for_missing : the remedy if no name has a role.
    """
    named = _by_number(names) or _by_role(names)
    parts = {key: _only(named[key], key, remedy_for_two) for key in ORDER if key in named}
    notes = []
    if not {"x_test", "y_test"} & parts.keys() and {"x_val", "y_val"} <= named.keys():
        for key in ("x", "y"):
            parts[f"{key}_test"] = _only(named[f"{key}_val"], f"{key}_test", remedy_for_two)
        notes.append(f"the test set is {parts['x_test']} and {parts['y_test']}, as there is no other")
    for key in ORDER if {"x_test", "y_test"} & parts.keys() else ORDER[:2]:
        if key not in parts:
            part = Role("test" if "_test" in key else "train", _what(key), "")
            problem = f"has no {noun} of {part} (it holds {some_of(names) or 'nothing'})"
            raise StragError(problem, remedy_for_missing)
    return Chosen(parts, [name for name in names if name not in parts.values()], notes)


def _what(key):
    """The noun for a key of ORDER."""
    return "examples" if key[0] == "x" else "labels"


def _by_number(names):
    """Dict of key to a list of one name, for arr_0 and so on; {} if any name states a role."""
    numbered = sorted((name for name in names if _POSITION.fullmatch(name)), key=lambda name: int(name[4:]))
    if any(role_of(name).what for name in names) or len(numbered) not in (2, 4):
        return {}
    return {key: [name] for key, name in zip(ORDER, numbered, strict=False)}


def _by_role(names):
    """Dict of key in ORDER, `x_val` or `y_val` to the list of the names that state this role."""
    keys = {}
    for name in names:
        role = role_of(name)
        if role.what:
            end = {"test": "_test", "validation": "_val"}.get(role.split, "")
            keys.setdefault(f"{'x' if role.what == 'examples' else 'y'}{end}", []).append(name)
    return keys


def _only(names, key, remedy_for_two):
    """The only name of a role. Raises StragError if there are several.

    key : the key of the role in ORDER; a name equal to it takes precedence.
    """
    if key in names:
        return key
    names = [name for name in names if "classes" not in words_of(name)] or names  # often the class names
    if len(names) > 1:
        what = Role("test" if "_test" in key else None, _what(key), "")
        raise StragError(f"'{names[0]}' and '{names[1]}' may both be the {what}", remedy_for_two(key))
    return names[0]
