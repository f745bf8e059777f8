"""The library's own tables as migrations: outbox, inbox and dead letters."""
