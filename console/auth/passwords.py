"""Passwords, stored only as Argon2id hashes."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import InvalidInput

SHORTEST, LONGEST = 10, 200
_hasher = PasswordHasher()


def hash_password(password: str, email: str = "") -> str:
    """Return the hash to store for a password.

    Raises:
        InvalidInput: the password is too short, too long, or too easy to guess.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"A password has {SHORTEST} to {LONGEST} characters.")
    if password.lower() in {email.lower(), email.lower().partition("@")[0]} or len(set(password)) < SHORTEST // 2:
        raise InvalidInput("This password is too easy to guess: take a few words that only you would put together.")
    return _hasher.hash(password)


def matches_password(stored: str | None, password: str) -> bool:
    """Whether the password matches; takes as long without an account, to hide which accounts exist."""
    try:
        return _hasher.verify(stored or _make_dummy_hash(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _make_dummy_hash() -> str:
    return _hasher.hash(secrets.token_hex())
