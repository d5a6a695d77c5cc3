"""Delivery of the outbox to channels and staff desks, in order and with retries."""
