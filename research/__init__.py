"""Trains the weights that ship with the product; no part of the product itself."""
