"""Migrations tried out on a scratch Postgres, before they run where it matters."""
