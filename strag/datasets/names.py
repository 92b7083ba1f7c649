"""The names of the examples of a data set, such as file names or ids of rows, as one array of bytes."""

import os
from dataclasses import dataclass

import numpy as np

from strag.words import as_text, number_of


@dataclass(frozen=True)
class Names:
    """The names of P examples.

    text : uint8 [bytes], all names one after the other. ends : int64 [P], the end of each name in `text`.
    """

    text: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, names):
        """The Names for a list of str or bytes. The bytes of file names that are not UTF-8 are kept."""
        parts = [os.fsencode(name) if isinstance(name, str) else bytes(name) for name in names]
        ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
        return cls(np.frombuffer(b"".join(parts), np.uint8), ends)

    def __len__(self):
        return len(self.ends)

    def __getitem__(self, row):
        """The name of one example as text that is safe to show, see `strag.words.as_text`."""
        start = self.ends[row - 1] if row else 0
        return as_text(self.text[start : self.ends[row]].tobytes().decode("utf-8", "surrogateescape"))

    @classmethod
    def joined(cls, parts):
        """The names of several Names, one after the other."""
        ends = np.cumsum([0, *(len(part.text) for part in parts)])
        moved = [part.ends + start for part, start in zip(parts, ends, strict=False)]
        return cls(np.concatenate([part.text for part in parts]), np.concatenate(moved))

    @property
    def tensors(self):
        """The tensors `names` and `name_ends` of a dataset file: dict."""
        return {"names": self.text, "name_ends": self.ends}

    def take(self, rows):
        """The names of these rows, in their order."""
        rows = np.asarray(rows, dtype=np.int64)
        starts = np.concatenate([[0], self.ends[:-1]])[rows]
        lengths = self.ends[rows] - starts
        ends = np.cumsum(lengths)
        within = np.arange(ends[-1] if rows.size else 0) - np.repeat(ends - lengths, lengths)
        return Names(self.text[np.repeat(starts, lengths) + within], ends)

    def fault(self, count):
        """What is wrong with these as the names of `count` examples, as text; None if they are right."""
        if len(self.ends) != count:
            return f"has {number_of(len(self.ends), 'name')} for {number_of(count, 'example')}"
        inside = np.diff(self.ends, prepend=0)
        if count and ((inside < 0).any() or self.ends[-1] != len(self.text)):
            return "'name_ends' does not fit 'names'"
        return None
