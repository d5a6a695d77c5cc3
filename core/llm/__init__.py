"""Language models: providers by vendor, a router over them, and a ledger of every call."""
