"""The capabilities and limits of WhatsApp."""

from __future__ import annotations

from connectors.base import Capabilities
from connectors.twilio.profile import Kind

OFFICE = "application/vnd.openxmlformats-officedocument"
MEDIA = frozenset(
    {
        "image/jpeg", "image/png", "image/webp", "audio/ogg", "audio/mpeg", "audio/amr", "audio/3gpp", "audio/aac",
        "audio/mp4", "video/mp4", "application/pdf", "application/msword", f"{OFFICE}.wordprocessingml.document",
        f"{OFFICE}.spreadsheetml.sheet", f"{OFFICE}.presentationml.presentation",
    }
)  # fmt: skip
"""Media types that Twilio forwards; other files are sent as links."""
WHATSAPP = Kind(
    name="whatsapp",
    prefix="whatsapp:",
    # 1,000: a body with buttons, and a template variable, hold 1,024 characters; a plain body 1,600
    capabilities=Capabilities(
        longest=1000, buttons=3, rows=10, images=True, documents=True, media=MEDIA, carousel=True, locations=True
    ),
    window_hours=24,
    per_second=80.0,
)
