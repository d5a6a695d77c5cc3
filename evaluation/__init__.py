"""Evaluation harness and measures."""
