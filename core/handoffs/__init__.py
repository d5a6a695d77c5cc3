"""Handoffs to staff: state machine, ownership, the policy for stepping back, and notifications (docs/handoff.md)."""
