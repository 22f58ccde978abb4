"""Stores conversations with their answers and sources, and answers questions in them."""

from app.conversations.service import AnswerInProgress, Conversations
from app.conversations.store import ChatStore, Conversation, Exchange

__all__ = ["AnswerInProgress", "ChatStore", "Conversation", "Conversations", "Exchange"]
