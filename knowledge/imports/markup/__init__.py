"""Readers of markup: Markdown and its dialects, HTML, AsciiDoc, reStructuredText."""
