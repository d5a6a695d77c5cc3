"""Adopt an existing Rasa project: read it, report findings, merge it with the base bot and write the result."""
