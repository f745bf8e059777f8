"""The catalog as a site: pages that anybody can read, from schemas alone. It needs the extra ``site``."""

from jobarium_events.site.building import Built, build_site

__all__ = ["Built", "build_site"]
