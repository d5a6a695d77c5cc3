"""The review queue, decisions about its items, and manual changes of entries."""
