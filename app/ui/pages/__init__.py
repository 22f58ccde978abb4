"""The views of the page: the conversation, and the review of generated questions."""
