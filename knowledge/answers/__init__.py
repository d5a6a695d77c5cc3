"""Answers questions: retrieve, decide, write."""
