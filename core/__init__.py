"""What several folders stand on: settings, errors, database, turns, the Rasa client."""
