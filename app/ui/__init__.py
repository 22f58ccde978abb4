"""The chat page in Streamlit: only drawing; all else is done by services."""

from app.ui.page import draw_page
from app.ui.page_guard import PageGuard

__all__ = ["PageGuard", "draw_page"]
