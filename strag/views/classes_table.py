"""Original classes and their stragglers as a table."""

from strag.views.original_classes import said
from strag.views.table import Table, as_cell


def tables(stragglers, classes):
    """The OriginalClasses of a StragglerList as a table."""
    headings = ("examples", "stragglers", "share", "test error", "at t*")
    columns = [("class", "left"), *((heading, "right") for heading in headings)]
    rows = [
        (
            one.name,
            str(one.examples),
            str(one.stragglers),
            *(
                as_cell(value, 4)
                for value in (one.straggler_share, one.test_error, one.test_error_at_inversion)
            ),
        )
        for one in classes
    ]
    return [Table(stragglers.meta.get("title"), columns, rows, f"share and test error: {said(classes)}")]
