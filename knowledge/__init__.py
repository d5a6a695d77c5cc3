"""Knowledge: entries, import, retrieval, answering."""
