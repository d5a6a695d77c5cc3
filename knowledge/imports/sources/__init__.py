"""Sources of knowledge: files, folders, zips and web pages."""
