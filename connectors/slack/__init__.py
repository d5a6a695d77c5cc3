"""The Slack desk: a thread for each handoff, where staff read the customer and answer."""
