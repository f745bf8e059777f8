"""What is known of the texts that are in a format: some that certainly are, and all that possibly are, as patterns.

`jobarium_events.validation.formats` defines the formats that the library checks; the patterns here only bound them. The
other formats of the dialects are annotations to the library, but a containment may be asked for with every format
asserted. For those whose texts are a regular language the patterns follow the RFC that defines them; of the rest
nothing is known but that the same text cannot both be in a format and not.
"""

from __future__ import annotations

import re

__all__ = ["FORMATS", "bounds", "implied"]

_SHORT = r"(?:0[1-9]|1[0-9]|2[0-8])"
_MONTH_DAY = rf"(?:(?:0[1-9]|1[0-2])-{_SHORT}|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DATE = rf"(?!0000)(?:[0-9]{{4}}-{_MONTH_DAY}|{_LEAP_YEAR}-02-29)"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
_OFFSET = r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
_HEX = "[0-9a-fA-F]"
_UUID = f"^(?:{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}|{_HEX}{{32}})$"

# In a date-time, only dates far from the years 0 and 9999 are certain: Python has no time beyond them, and rounding and
# offsets may lead there.
_SURE_DATE = rf"(?:[1-8][0-9]{{3}}-{_MONTH_DAY}|[1-8][0-9](?:0[48]|[2468][048]|[13579][26])-02-29)"
_SURE_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"

_LABEL = r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}"

_TIME = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
_DAYS = "(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)"
_DURATION = f"^P(?:{_DAYS}(?:{_TIME})?|{_TIME}|[0-9]+W)$"
# RFC 3339 gives a grammar in which the letters are of either case; ISO 8601, from which it comes, has capitals.
_ANY_DURATION = re.sub("[DHMPSTWY]", lambda letter: f"[{letter[0]}{letter[0].lower()}]", _DURATION)

_CERTAIN = {
    "uuid": _UUID,
    "date": f"^{_DATE}$",
    "time": f"^{_SURE_CLOCK}(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$",
    "date-time": f"^{_SURE_DATE}T{_SURE_CLOCK}(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$",
    "duration": _DURATION,
    "ipv4": f"^{_IPV4}$",
    "ipv6": f"^(?:{_HEX}{{1,4}}:){{7}}{_HEX}{{1,4}}$",
    "hostname": rf"^{_LABEL}(?:\.{_LABEL}){{0,2}}$",
    "idn-hostname": r"^[a-z]{1,60}(?:\.[a-z]{1,60}){0,3}$",
    "email": r"^[0-9A-Za-z]{1,60}@[a-z]{1,60}(?:\.[a-z]{1,60}){0,3}$",
    "idn-email": r"^[0-9A-Za-z]{1,60}@[a-z]{1,60}(?:\.[a-z]{1,60}){0,3}$",
    "uri": r"^[a-z]{1,9}://[a-z]{1,60}(?:/[a-z]{1,60}){0,3}$",
    "iri": r"^[a-z]{1,9}://[a-z]{1,60}(?:/[a-z]{1,60}){0,3}$",
    "uri-reference": r"^(?:[a-z]{1,9}://[a-z]{1,60})?(?:/[a-z]{1,60}){0,3}$",
    "iri-reference": r"^(?:[a-z]{1,9}://[a-z]{1,60})?(?:/[a-z]{1,60}){0,3}$",
    "uri-template": r"^[a-z/]*$",
    "json-pointer": r"^(?:/(?:[^~/]|~[01])*)*$",
    "relative-json-pointer": r"^(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~[01])*)*)$",
    "regex": r"^[0-9A-Za-z]*$",
}
_POSSIBLE = {
    "uuid": _UUID,
    "date": f"^{_DATE}$",
    "time": f"^{_CLOCK}{_OFFSET}$",
    "date-time": f"^{_DATE}[Tt ]{_CLOCK}{_OFFSET}$",
    "duration": _ANY_DURATION,
    "ipv4": f"^{_IPV4}$",
    "ipv6": r"^(?=[^]*:[^]*:)[0-9a-fA-F:.]{2,45}$",
    "hostname": rf"^{_LABEL}(?:\.{_LABEL})*\.?$",
    "idn-hostname": r"^[^ -,/:-@\[-`{-\x7f]+$",
    "email": r"^[^]+@[^]+$",
    "idn-email": r"^[^]+@[^]+$",
    "uri": r"^[A-Za-z][0-9A-Za-z+.-]*:[!#-;=?-\[\]_a-z~]*$",
    "iri": r"^[A-Za-z][0-9A-Za-z+.-]*:[^ \"<>\\^`{|}\x00-\x1f]*$",
    "uri-reference": r"^[!#-;=?-\[\]_a-z~]*$",
    "iri-reference": r"^[^ \"<>\\^`{|}\x00-\x1f]*$",
    "uri-template": r"^[^ \"<>\\^`\x00-\x1f]*$",
    "json-pointer": r"^(?:/(?:[^~/]|~[01])*)*$",
    "relative-json-pointer": r"^(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~[01])*)*)$",
}


FORMATS = frozenset(_CERTAIN)
"""The formats of draft-07 and later; any other ``format`` is an annotation to everyone."""


_IMPLIED = {
    "email": ("idn-email",),
    "hostname": ("idn-hostname",),
    "iri": ("iri-reference",),
    "uri": ("iri", "iri-reference", "uri-reference"),
    "uri-reference": ("iri-reference",),
}


def implied(name: str) -> tuple[str, ...]:
    """Return the formats that every text in a format is in as well, by their RFCs."""
    return _IMPLIED.get(name, ())


def bounds(name: str) -> tuple[str | None, str | None]:
    """Return a pattern of texts that certainly are in a format, and one of all that may be; None where unknown."""
    return _CERTAIN.get(name), _POSSIBLE.get(name)
