"""What does the product do with a real campaign while something dies? ``neonhub demo``."""
