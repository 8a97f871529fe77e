"""The outside: one file per platform, and what they share."""
