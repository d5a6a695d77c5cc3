"""Sentence embeddings, in English and in other languages."""
