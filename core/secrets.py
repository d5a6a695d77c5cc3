"""One secret of the house; a key for each use is derived from it."""

from __future__ import annotations

import hashlib
import hmac


def derive_key(secret: str, use: str) -> str:
    """A key that tells nothing about the secret nor about the keys for other uses (HMAC-SHA256, hex)."""
    return hmac.new(secret.encode(), use.encode(), hashlib.sha256).hexdigest()
