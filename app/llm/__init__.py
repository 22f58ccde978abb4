"""Connects to a language model: builds it, streams its answers, enforces limits, and maps its errors."""

from app.llm.client import ChatLLM, build_llm
from app.llm.connection import Connection, tried
from app.llm.usage import Spending, total

__all__ = [
    "ChatLLM",
    "Connection",
    "Spending",
    "build_llm",
    "total",
    "tried",
]
