"""Message handling: store a message, get Rasa's reply, store it and notify the watchers."""
