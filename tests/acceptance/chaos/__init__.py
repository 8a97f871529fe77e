"""Is anything lost or done twice while everything is killed at random? ``make chaos``; docs/how-to/chaos.md.

``plan`` draws the kills from a seed, ``strikes`` carries them out, ``producer`` asks for the ``actions`` meanwhile, and
``judge`` compares what the ledger says with what the sandbox counted. ``bare_celery`` does the same to Celery alone.
"""
