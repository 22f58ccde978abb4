"""The script that Streamlit runs on every visit and every click."""

from __future__ import annotations

from app.bootstrap import shared_footnote
from app.ui import draw_page

draw_page(shared_footnote())
