"""The durable outbox: what is due is written with what made it due, and goes out in order, until it is taken."""
