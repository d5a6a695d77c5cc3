"""Corrections: a better answer by staff goes live with one approval and can be undone."""
