"""Code that the Rasa process loads."""
