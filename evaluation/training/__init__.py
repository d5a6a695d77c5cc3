"""Understanding learns from corrections: examples, training, comparison, release."""
