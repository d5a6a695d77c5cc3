"""Imports documents into entries."""
