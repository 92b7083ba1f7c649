"""What other programs logged of a training: one importer per form, each of which returns a Recorded."""
