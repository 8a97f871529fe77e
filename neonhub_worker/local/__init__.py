"""The embedded stack: Postgres, Valkey, the sandbox, the workers, beat and Flower, kept alive on one machine."""
