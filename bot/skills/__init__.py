"""The bot's skills, one folder each; a setting selects the enabled ones."""
