"""What it means for the migrations that a release of the services is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from jobarium_events.errors import DeclarationError
from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.files.settings import SETTINGS
from jobarium_events.migrations.record.states import Stage, deployed_releases

if TYPE_CHECKING:
    from jobarium_events.migrations.applying.situation import Situation
    from jobarium_events.migrations.files.settings import Settings

__all__ = ["Deployed", "check_release", "deployed_after"]


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """That a release is deployed.

    Attributes:
        release: Which one.
        back_from: The later release that was deployed before it, where the app went back.
        missing: Ids of the expanding migrations of it, or of an earlier release, that are not applied: its code reads
            what they add, so they had to be first.
    """

    release: str
    back_from: str | None
    missing: tuple[str, ...]


def check_release(settings: Settings, release: str) -> None:
    """Check that there is such a release.

    Raises:
        DeclarationError: If there is none.
    """
    if release not in settings.releases:
        known = ", ".join(settings.releases) or "none"
        raise DeclarationError(f"there is no release {release!r}; {SETTINGS}, or its catalog, has {known}")


def deployed_after(situation: Situation, release: str) -> Deployed:
    """Return what it means that a release is deployed.

    Args:
        situation: How things stood before.
        release: Which one.
    """
    releases = situation.migrations.settings.releases
    due = releases[: releases.index(release) + 1]
    before = [name for name, _ in deployed_releases(situation.entries)]
    is_back = bool(before) and before[-1] in releases and before[-1] not in due
    return Deployed(
        release=release,
        back_from=before[-1] if is_back else None,
        missing=tuple(
            each.id
            for each in situation.migrations.ordered
            if each.header.category is Category.EXPAND
            and each.header.release in due
            and situation.stage(each.id) is not Stage.APPLIED
        ),
    )
