"""Text analysis: questions split, spelling corrected, names and topics found, passages cut into units."""
