"""Import of documents as knowledge entries."""
