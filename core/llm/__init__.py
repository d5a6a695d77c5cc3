"""Language models: one provider per vendor, a router over them, and a ledger of every call."""
