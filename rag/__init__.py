"""THE MEMORY: how is text found again? The package is reserved for it; retrieval comes with a later release."""
