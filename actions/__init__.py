"""Custom actions for rasa-sdk, one concern per module."""
