"""Handoffs for staff: views, queries, presence and canned replies."""
