"""The Slack desk: a thread per handoff, in which staff read the customer's messages and reply."""
