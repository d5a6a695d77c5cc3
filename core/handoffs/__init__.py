"""A person takes over: the state machine, who may speak, when the bot steps back, and who is told (docs/handoff.md)."""
