"""Answers a question: retrieve, decide, write."""
