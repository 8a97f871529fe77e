"""How does a due run reach a worker? Messages are wake-ups; Postgres is the queue."""
