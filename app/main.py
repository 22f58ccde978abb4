"""The script that Streamlit runs for every visit and every click."""

from __future__ import annotations

from app.bootstrap import shared_footnote
from app.views.page import page

page(shared_footnote())
