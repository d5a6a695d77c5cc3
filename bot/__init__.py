"""What the Rasa process loads."""
