"""The pages: the conversation, and the review of generated questions."""
