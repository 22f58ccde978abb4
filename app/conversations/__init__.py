"""Keeps conversations with their answers and sources."""

from app.conversations.store import ChatStore, Conversation, Exchange

__all__ = ["ChatStore", "Conversation", "Exchange"]
