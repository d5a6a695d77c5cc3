"""The demo shop: where an order is, sending it elsewhere, cancelling it."""
