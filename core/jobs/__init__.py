"""Background jobs on Celery, and heartbeats that show they are running."""
