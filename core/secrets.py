"""Derives keys for different uses from the instance's one secret."""

from __future__ import annotations

import hashlib
import hmac


def derive_key(secret: str, use: str) -> str:
    """Derive a key that reveals neither the secret nor the keys for other uses (HMAC-SHA256, hex)."""
    return hmac.new(secret.encode(), use.encode(), hashlib.sha256).hexdigest()
