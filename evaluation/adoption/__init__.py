"""Takes a Rasa project of somebody else's into the bot: reads it, says what fits, merges it with the base, writes the result."""
