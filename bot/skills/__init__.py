"""What the bot can do beside answering, one skill a folder; a setting says which are on."""
