"""Checks each sentence of an answer against its passages and returns a verdict with the supporting quotes."""

from app.grounding.alignment import read_lines
from app.grounding.claim_detection import REFUSAL, is_refusal
from app.grounding.entailment import EntailmentModel
from app.grounding.verifier import Verified, Verifier

__all__ = ["REFUSAL", "EntailmentModel", "Verified", "Verifier", "is_refusal", "read_lines"]
