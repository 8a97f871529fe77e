"""The contract of each platform, OpenAPI 3.1, one JSON file per connector slug."""
