"""strag finds the stragglers: the training examples that make a network re-entangle its classes."""

__version__ = "0.1.0"
