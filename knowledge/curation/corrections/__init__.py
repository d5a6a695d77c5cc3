"""Corrections: a person's better answer goes live with one approval, everywhere, and can be undone."""
