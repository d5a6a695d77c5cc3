"""What waits for a reviewer, the decisions about it, and changes of entries by staff."""
