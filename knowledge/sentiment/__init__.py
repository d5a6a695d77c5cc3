"""How a customer's message sounds, and how urgent it is."""
