"""Counts and lists in words, for whoever says something to a person."""

MOST = 12  # names in one line


def number_of(count, noun):
    """A count with its noun, in the plural but for one: `1 run`, `3 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def some_of(names):
    """Names with commas between, of many the first dozen and how many there are."""
    names = [str(name) for name in names]
    more = f", ... ({len(names)} in all)" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
