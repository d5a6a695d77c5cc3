"""Channels: one a file or folder."""
