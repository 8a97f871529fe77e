"""What do all connectors share? Errors, actions, calls and HTTP; nothing here knows a platform."""
