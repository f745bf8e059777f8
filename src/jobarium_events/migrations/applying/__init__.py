"""Migrations applied to one database: gates, steps, the record of what was done, and the way back."""
