"""Finds and removes keys and passwords in URIs, so that none is stored, copied or printed."""

import os
import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote

INSTEAD = (
    "leave it out of the URI, and give it by the environment (AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS, AZURE_CLIENT_SECRET), a credentials "
    "file or the machine's role"
)
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(/+)(.*)", re.DOTALL)
"""With one slash too: pathlib collapses the slashes of a URI that was taken for a path."""
_NO_USER = {"s3", "s3a", "s3n", "gs", "gcs"}
"""Schemes in which what stands before @ is a key, even without a secret."""
_SECRET = re.compile(
    r"key|secret|token|passw|passphrase|pwd|credential|auth(?!ority)|signature|^sig$|^sas|^pass$",
    re.IGNORECASE,
)
_HARMLESS = {"credential_kind"}


def has_secret(text: str) -> bool:
    """Whether a text is a URI with a key, password or token in it."""
    found = _URI.fullmatch(text.strip())
    if not found:
        return False
    scheme, rest = found[1].lower(), found[3]
    place, _, options = rest.partition("?")
    authority = re.split(r"[/#]", place)[0]
    if "@" in authority:
        user = unquote(authority.rpartition("@")[0])
        if ":" in user or scheme in _NO_USER:
            return True
    elif _is_cut(authority, rest):
        return True
    return any(_is_secret(option) for option in re.split(r"[&;#]", options))


def _is_cut(authority: str, rest: str) -> bool:
    """Whether the authority is not host:port, but the start of key:secret, cut at a slash in the
    secret."""
    _, colon, port = unquote(authority).partition(":")
    is_port = port.isdigit() or (":" in port and authority.startswith("["))
    return bool(colon) and (not (is_port or port == "") or "@" in rest.partition("?")[0])


def _is_secret(option: str) -> bool:
    name, _, value = option.partition("=")
    value = unquote(value)
    if not value or name.lower() in _HARMLESS:
        return False
    return bool(_SECRET.search(unquote(name))) or any(map(has_secret, (value, f"x://{value}")))


def without_secrets(text: str) -> str:
    """A URI without the secrets that `has_secret` finds; other text unchanged."""
    found = _URI.fullmatch(text.strip())
    if not found or not has_secret(text):
        return text
    place, _, options = found[3].partition("?")
    kept = [o for o in re.split(r"[&;#]", options) if o and not _is_secret(o)]
    authority, slash, path = place.partition("/")
    if "@" in authority:
        place = _without_password(found[1], authority) + slash + path
    elif _is_cut(authority, place):
        place = place.rpartition("@")[2]
    begin = f"{found[1]}:{found[2] if len(found[2]) > 1 else '//'}"
    cleaned = begin + place + (f"?{'&'.join(kept)}" if kept else "")
    return f"{begin}..." if has_secret(cleaned) else cleaned


def _without_password(scheme: str, authority: str) -> str:
    user, _, host = authority.rpartition("@")
    user = re.split(":|%3A", user, flags=re.IGNORECASE)[0]
    return host if scheme.lower() in _NO_USER or not user else f"{user}@{host}"


def check_words(words: Iterable[str]) -> None:
    """Raises ValueError, without quoting the secret, where a command line's words hold one."""
    option = "an argument"
    for word in words:
        name, equals, value = word.partition("=")
        given = word
        if word.startswith("--"):
            option, given = name, value if equals else ""
        check(option, given)


def check(name: str, text: str) -> None:
    """Raises ValueError, without quoting the secret, where `text`, given as `name`, holds one."""
    if has_secret(text):
        raise ValueError(f"{name} has a key, password or token in it: {INSTEAD}")


def check_options(options: Any) -> None:
    """Raises ValueError where an option of a dataclass, or RAY_ADDRESS in the environment, holds a
    secret."""
    for field in fields(options):
        value = getattr(options, field.name)
        if isinstance(value, str | Path):
            check(f"--{field.name.replace('_', '-')}", str(value))
    check("RAY_ADDRESS, in the environment,", os.environ.get("RAY_ADDRESS", ""))
