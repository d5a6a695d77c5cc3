"""What the bot knows: imported, indexed, searched, answered from, and improved by what staff approve."""
