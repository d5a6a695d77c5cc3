"""Sentence embeddings for English and other languages."""
