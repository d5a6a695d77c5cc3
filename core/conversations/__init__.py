"""The way of one message: stored, answered by Rasa, the reply stored, watchers notified."""
