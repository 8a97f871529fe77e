"""How do we connect, which tables are there, how does the schema change?"""
