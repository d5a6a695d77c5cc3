"""The bot's configuration: its parts, languages, texts, and an adopted Rasa project."""
