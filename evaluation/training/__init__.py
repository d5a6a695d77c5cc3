"""Training on corrections: examples, training, comparison and release."""
