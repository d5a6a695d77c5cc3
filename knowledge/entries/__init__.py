"""Knowledge entries in the database: versioned edits, validation and contradiction detection."""
