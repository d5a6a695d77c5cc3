"""Server-rendered pages: the console, and the page at ``/``."""
