"""Text analysis: splitting questions, correcting spelling, finding names and topics, extracting facts."""
