"""Where knowledge is imported from: files, folders, zips, web pages."""
