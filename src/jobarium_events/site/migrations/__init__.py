"""The pages on migrations: the order of a folder, what each file does, and where each stands in some databases."""

from jobarium_events.site.migrations.asking import EnvironmentUnread
from jobarium_events.site.migrations.listing import migration_pages

__all__ = ["EnvironmentUnread", "migration_pages"]
