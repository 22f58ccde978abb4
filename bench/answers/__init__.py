"""What answers say, and whether the verdicts on them are right."""
