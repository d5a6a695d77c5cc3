"""Curation of knowledge: corrections, the review queue, and suggestions harvested from conversations."""
