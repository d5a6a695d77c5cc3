"""Who may do what in the console and the staff API."""
