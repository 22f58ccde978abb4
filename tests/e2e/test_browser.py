"""Tests the page in a real browser: asking, checking, uploading, reloading. Nothing leaves the machine."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
from urllib.parse import urlsplit

import pytest
from conftest import Served, serving
from durability import ended
from playwright.sync_api import Page, expect

from app.ui.pages.chat import STARTERS

pytestmark = pytest.mark.browser
SECONDS = 60_000


@pytest.fixture
def page(chromium, request):
    width, height = getattr(request, "param", (1440, 900))
    context = chromium.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    hosts = set()
    page.on("request", lambda sent: hosts.add(urlsplit(sent.url).hostname))
    yield page
    assert hosts <= {"127.0.0.1", None, ""}, "the page must load nothing from elsewhere"
    context.close()


def ask(page: Page, question: str) -> None:
    before = page.locator(".fn-notes").count()
    page.get_by_test_id("stChatInputTextArea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".fn-notes")).to_have_count(before + 1, timeout=SECONDS)


def test_a_visit_from_the_first_question_to_the_reload(served: Served, page: Page, tmp_path):
    page.goto(served.url)
    page.get_by_role("button", name=STARTERS[0]).click()
    answer = page.locator(".fn-answer").last
    expect(page.locator(".fn-notes")).to_have_count(1, timeout=SECONDS)
    expect(answer).to_contain_text("An embedding is a list of numbers")

    page.locator("a.fn-marker").first.click()
    mark = page.locator(".fn-notes mark").first
    expect(mark).to_be_visible()
    expect(mark).to_be_in_viewport()
    expect(mark).to_contain_text("An embedding is a list of numbers")

    thumb = page.get_by_role("radio", name="Thumbs up")
    thumb.click()
    expect(thumb).to_be_checked()

    note = tmp_path / "badgers.txt"
    note.write_text("The badger archive is kept in cellar number nine. Badgers sleep by day.")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(note)
    expect(page.get_by_text("added, 1 passage")).to_be_visible(timeout=SECONDS)
    ask(page, "In which cellar is the badger archive?")
    expect(page.locator(".fn-answer").last).to_contain_text("cellar number nine")
    expect(page.locator(".fn-note").last).to_contain_text("badgers.txt")

    page.reload()
    expect(page.locator(".fn-question")).to_have_count(2)
    expect(page.locator(".fn-answer").first).to_contain_text("An embedding is a list of numbers")
    expect(page.locator(".fn-answer").last).to_contain_text("cellar number nine")
    expect(page.locator(".fn-notes")).to_have_count(2)
    expect(page.get_by_role("radio", name="Thumbs up").first).to_be_checked()
    expect(page.get_by_role("radio", name="Thumbs up").last).not_to_be_checked()


def test_a_file_that_fails_says_why_and_the_page_goes_on(served: Served, page: Page, tmp_path):
    bad = tmp_path / "broken.pdf"
    bad.write_bytes(b"no pdf at all")
    page.goto(served.url)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(bad)
    expect(page.get_by_text("is not a PDF")).to_be_visible()
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_enabled()


@pytest.mark.parametrize("page", [(390, 844)], indirect=True)
def test_a_phone_shows_all_without_scrolling_sideways(served: Served, page: Page):
    page.goto(served.url)
    expect(page.get_by_role("button", name=STARTERS[1])).to_be_visible()
    ask(page, STARTERS[1])
    page.locator("a.fn-marker").first.click()
    expect(page.locator(".fn-notes mark").first).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_chat_goes_on_after_its_chroma_server_was_killed(served: Served, page: Page):
    page.goto(served.url)
    ask(page, "What is BM25?")
    server = json.loads((served.data_dir / "run" / "chroma.json").read_text())["server"]
    os.kill(server, signal.SIGKILL)
    ask(page, "What does HNSW stand for?")
    expect(page.locator(".fn-answer").last).to_contain_text("hierarchical navigable small world")


def test_a_question_that_is_not_answered_is_refused_with_the_nearest_passages(served: Served, page: Page):
    page.goto(served.url)
    ask(page, "How do volcanoes form?")
    expect(page.locator(".fn-refused")).to_contain_text("could not find this")
    expect(page.get_by_text("Nearest passages", exact=True)).to_be_visible()


def test_a_second_run_on_the_same_data_is_refused(served: Served):
    environment = {**served.environment, "FOOTNOTE_PORT": "1"}
    second = subprocess.run(
        served.command, env=environment, capture_output=True, text=True, timeout=120, check=False, cwd=os.getcwd()
    )
    assert second.returncode == 3
    assert f"already runs on {served.data_dir}" in " ".join(second.stderr.split())
    assert served.url in second.stderr


def test_stopping_stops_all_and_the_next_start_has_everything(tmp_path, chromium):
    data = tmp_path / "data"
    with serving(data) as first:
        page = chromium.new_page()
        page.goto(first.url)
        ask(page, "What is perplexity?")
        address = page.url
        state = json.loads((data / "run" / "chroma.json").read_text())
    assert ended(state["server"])
    assert ended(state["supervisor"])
    assert first.process.returncode == 0
    with serving(data) as second:
        page.goto(re.sub(r"http://[^/]*", second.url, address))
        expect(page.locator(".fn-answer")).to_contain_text("a measure of how surprised", timeout=SECONDS)
    page.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example", "Upgrade": "websocket", "Connection": "Upgrade"}, 403),
    ],
)
def test_a_page_of_the_internet_cannot_reach_the_chat(served, headers, status):
    where = urlsplit(served.url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
    opens = (
        {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} if "Upgrade" in headers else {}
    )
    connection.request("GET", "/_stcore/stream" if opens else "/", headers=headers | opens)
    answer = connection.getresponse()
    assert answer.status == status
    if not opens:
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    connection.close()
