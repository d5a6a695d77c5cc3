"""Authentication and permissions of the console and the staff API."""
