"""What do several platforms share? Address forms and APIs that more than one connector speaks."""
