"""Background work on Celery: how it is set up, and that it is alive."""
