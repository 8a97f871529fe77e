"""The sandbox: one HTTP server that plays the platforms strictly, keeps state on disk and counts real effects.

It judges the connectors, so it shares no code with them. Start it with ``python -m connectors.sandbox``.
"""
