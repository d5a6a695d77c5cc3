"""The SMS channel, which supports text only."""

from __future__ import annotations

from connectors.base import Capabilities
from connectors.twilio.profile import Kind

SMS = Kind(name="sms", prefix="", capabilities=Capabilities(longest=1600), window_hours=None, per_second=1.0)
