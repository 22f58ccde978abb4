"""Estimates the tokens of a text for a language model whose tokenizer is not at hand. Pure."""

from __future__ import annotations

# Lowest average of UTF-8 bytes per token over the tokenizers of current models: errs on the safe side.
BYTES_PER_TOKEN = 3


def most_tokens(text: str) -> int:
    """Returns an upper estimate of a text's tokens."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
