"""rasa-sdk actions, one conversation concern a file."""
