"""The chat page in Streamlit: it draws, and calls services for all else."""

from app.ui.page import draw_page
from app.ui.page_guard import PageGuard

__all__ = ["PageGuard", "draw_page"]
