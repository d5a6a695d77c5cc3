"""Sentiment and urgency of a customer's message."""
