"""What the bot of an instance is made of: its parts, languages, texts, and an adopted Rasa project."""
