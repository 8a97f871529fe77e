"""What can I do from a terminal? Thin: parse, call, print."""
