"""What was done to a database, in that database: the append-only record, and what follows from it."""
