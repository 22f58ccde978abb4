"""The whole page as Streamlit's AppTest draws it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page_script(footnote):
    from app.ui.page import draw_page

    draw_page(footnote)


def open_page(footnote, chat: str = "") -> AppTest:
    page = AppTest.from_function(page_script, kwargs={"footnote": footnote}, default_timeout=120)
    if chat:
        page.query_params["chat"] = chat
    return page.run()


def shown(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.main.get("html"))


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]
