"""THE EDGE: which Celery tasks exist? Each is a few lines."""
