"""The demo shop's orders: status, new address, cancellation."""
