"""The parts that run inside Rasa, in Rasa's own environment."""
