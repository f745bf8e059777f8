"""Feature flags as a migration reads them: through OpenFeature, from the team's provider or from a file.

A flag is true while the new path is on. The file is TOML, and stands in git beside the migrations::

    job-source = true
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

import msgspec

from jobarium_events.catalog.toml import TomlError, read_toml
from jobarium_events.extras import extra
from jobarium_events.migrations.files.settings import SETTINGS
from jobarium_events.migrations.refusals import MigrationError, Mistake
from jobarium_events.writing import write_files

with extra("migrations"):
    from openfeature import api
    from openfeature.exception import FlagNotFoundError, ParseError, TypeMismatchError
    from openfeature.flag_evaluation import FlagResolutionDetails, Reason
    from openfeature.provider import AbstractProvider, FeatureProvider, Metadata

if TYPE_CHECKING:
    from openfeature.client import OpenFeatureClient
    from openfeature.evaluation_context import EvaluationContext

    from jobarium_events.migrations.files.folder import Migrations

__all__ = ["Flag", "FlagFile", "Flags"]

_DOMAIN = "jobarium-migrations"
_TARGET = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)")


class Flag(msgspec.Struct, frozen=True):
    """What a provider says of a flag.

    Attributes:
        name: Its name.
        value: Whether it is on; None if the provider does not know it, or cannot be asked.
        problem: Why it is not known.
    """

    name: str
    value: bool | None
    problem: str = ""


class FlagFile(AbstractProvider):
    """A provider of OpenFeature that reads flags from a TOML file, anew each time; a flag is true or false.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def get_metadata(self) -> Metadata:
        """Return by what name it is known."""
        return Metadata(name=f"flags in {self.path}")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: ARG002, FBT001 - OpenFeature's signature
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002 - as above
    ) -> FlagResolutionDetails[bool]:
        """Return what the file says of a flag."""
        flags = self._read()
        if flag_key not in flags:
            raise FlagNotFoundError(f"{self.path} has no flag {flag_key!r}; write `{flag_key} = false` into it")
        value = flags[flag_key]
        if not isinstance(value, bool):
            raise TypeMismatchError(f"{self.path}: the flag {flag_key!r} is neither true nor false")
        return FlagResolutionDetails(value=value, reason=Reason.STATIC)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,  # noqa: ARG002 - OpenFeature's signature
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002 - as above
    ) -> FlagResolutionDetails[str]:
        """Refuse: a flag of the file is no text."""
        self._refuse(flag_key)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,  # noqa: ARG002 - OpenFeature's signature
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002 - as above
    ) -> FlagResolutionDetails[int]:
        """Refuse: a flag of the file is no number."""
        self._refuse(flag_key)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,  # noqa: ARG002 - OpenFeature's signature
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002 - as above
    ) -> FlagResolutionDetails[float]:
        """Refuse: a flag of the file is no number."""
        self._refuse(flag_key)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[Any] | Mapping[str, Any],  # noqa: ARG002 - OpenFeature's signature
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002 - as above
    ) -> FlagResolutionDetails[Sequence[Any] | Mapping[str, Any]]:
        """Refuse: a flag of the file is no structure."""
        self._refuse(flag_key)

    def turn_off(self, name: str) -> None:
        """Write that a flag is false; the rest of the file stays as it is.

        Raises:
            MigrationError: If the file has no such flag on a line of its own, or cannot be read.
        """
        line = re.compile(rf"^(\ufeff?\s*[\"']?{re.escape(name)}[\"']?\s*=\s*)(true|false)\b", re.MULTILINE)
        text = self.path.read_text(encoding="utf-8") if self.path.is_file() else ""
        changed = line.sub(r"\1false", text)
        try:
            is_off = read_toml(changed.removeprefix("\ufeff")).get(name) is False
        except TomlError:
            is_off = False
        if not is_off:
            raise MigrationError([Mistake(str(self.path), 0, f"has no line `{name} = true`; write `{name} = false`")])
        write_files({self.path: changed.encode()})

    def _read(self) -> Mapping[str, Any]:
        try:
            return read_toml(self.path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            raise FlagNotFoundError(f"there is no file {self.path}; make it, with a line for each flag") from None
        except OSError as error:
            problem = (error.strerror or "it failed").lower()
            raise ParseError(f"{self.path} cannot be read: {problem}; make it a file that can") from None
        except UnicodeDecodeError:
            raise ParseError(f"{self.path}: is not encoded in UTF-8; save it so") from None
        except TomlError as error:
            how = "write each flag as `NAME = true` or `NAME = false`"
            raise ParseError(f"{self.path}:{error.line}: {error.problem}; {how}") from None

    def _refuse(self, flag_key: str) -> Never:
        raise TypeMismatchError(f"{self.path}: the flag {flag_key!r} is asked for as no boolean; each is true or false")


class Flags:
    """Asks for flags.

    Args:
        client: A client of OpenFeature, with whatever provider it has; None where nobody is to be asked.
        file: The file behind it, where it is one of ours.
    """

    def __init__(self, client: OpenFeatureClient | None, file: FlagFile | None = None) -> None:
        self._client = client
        self.file = file

    @classmethod
    def of(cls, migrations: Migrations, client: OpenFeatureClient | None = None) -> Flags:
        """Return where a folder's flags come from: a client, what its settings name, or the service's own provider.

        A provider that the settings name gets a domain of its own, so that the provider of the service that this runs
        in stays as it is.

        Raises:
            MigrationError: If the settings name something that is no provider.
        """
        if client is not None:
            return cls(client)
        named = migrations.settings.flags
        if named is None:
            return cls(api.get_client(_DOMAIN))
        match = _TARGET.fullmatch(named)
        file = None if match else FlagFile(migrations.folder / named)
        provider = file or _made(named, migrations)
        domain = f"{_DOMAIN}:{migrations.folder.resolve() / named}"
        api.set_provider_and_wait(provider, domain)
        return cls(api.get_client(domain), file)

    def __getitem__(self, name: str) -> Flag:
        """Return what the provider says of a flag; one that is not known is neither on nor off."""
        if self._client is None:
            return Flag(name, None)
        off, on = (self._client.get_boolean_details(name, default) for default in (False, True))
        if off.error_code is not None:
            return Flag(name, None, off.error_message or str(off.error_code))
        if off.value != on.value:  # it only repeats the default
            return Flag(name, None, f"no provider knows the flag {name!r}; name one as `flags` in {SETTINGS}")
        return Flag(name, off.value)


def _made(named: str, migrations: Migrations) -> FeatureProvider:
    """Call the function that the settings name."""
    settings = str(migrations.folder / SETTINGS)
    module, _, name = named.partition(":")
    try:
        made = getattr(importlib.import_module(module), name)()
    except Exception as error:  # noqa: BLE001 - a team's function may raise anything
        text = f"names the flags {named!r}, which made no provider: {type(error).__name__}: {error}"
        raise MigrationError([Mistake(settings, 0, text)]) from None
    if not callable(getattr(made, "resolve_boolean_details", None)):
        text = f"names the flags {named!r}, which returned {type(made).__name__} and no provider of OpenFeature"
        raise MigrationError([Mistake(settings, 0, text)])
    provider: FeatureProvider = made
    return provider
