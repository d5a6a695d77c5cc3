"""Knowledge entries in SQL: edited in versions, checked, and compared for contradictions."""
