"""What is a run, and how is none lost or repeated? Every state move is one guarded SQL statement of this package."""
