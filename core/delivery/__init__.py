"""Delivers what is in the outbox, in order, to channels and staff desks, until it is taken."""
