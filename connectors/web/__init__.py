"""The web channel: sessions, messages, the event stream and the widget."""
