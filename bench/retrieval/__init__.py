"""What a search finds, and what it costs."""
