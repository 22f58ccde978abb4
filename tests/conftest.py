"""Provides shared fixtures: data folders, models, servers, and documents of every kind. Tests use no network."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import docx
import pytest
from chroma_servers import chroma_server
from PIL import Image, ImageDraw, ImageFont
from pydantic import SecretStr
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas
from tests_support import WordEmbedder, counting

from app.bootstrap import open_footnote
from app.footnote import Footnote
from app.llm.client import ChatLLM, build_llm
from app.llm.limits import PATIENCE, Patience
from ingest.embedding import Embedder, OpenEmbedder
from ingest.library import Library
from ingest.loaders import LoaderPool, OpenLoaders
from ingest.settings import DEFAULT_EMBEDDING_MODEL, Settings
from ingest.text.storable_text import storable

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
for name in [name for name in os.environ if name.startswith("FOOTNOTE_")]:
    if name not in {"FOOTNOTE_SHARED", "FOOTNOTE_CHROMIUM"}:
        del os.environ[name]
for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
    os.environ.pop(name, None)

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data" / "sample"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Makes what a test logged storable: workers send it as UTF-8, and some tests log lone surrogates."""
    report = yield
    report.sections = [(name, storable(text)) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def real_main() -> Iterator[None]:
    """Restores `__main__`: Streamlit replaces it with the page, and a new process would then start with that."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session", autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder for all tests of this process and the processes that they start, instead of the user's.

    It is removed at the end: the graph of the bundled model is 90 MB, and pytest keeps the folders of three runs.
    """
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "data")


@pytest.fixture
def loads() -> list[Path]:
    """Returns the paths read by the loaders of `footnote`, as they are read."""
    return []


@pytest.fixture(scope="session")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Chroma server for all tests of this process; each data folder has collections of its own."""
    with chroma_server(tmp_path_factory.mktemp("chroma")) as url:
        yield url


@pytest.fixture
def shared_chroma(chroma_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes all settings name the shared Chroma server: starting one takes longer than most tests.

    Tests of the local server, of files on disk and of crashes do without it.
    """
    monkeypatch.setenv("FOOTNOTE_CHROMA_URL", chroma_url)


@pytest.fixture(scope="session")
def open_embedder() -> OpenEmbedder:
    """Builds an embedder, and the one for the default model only once."""
    default = Embedder()

    def opened(model: str = "", device: str = "", **more: Any) -> Embedder:
        return default if model in {"", DEFAULT_EMBEDDING_MODEL} else Embedder(model, device, **more)

    return opened


@pytest.fixture
def open_loaders() -> OpenLoaders:
    """Opens the loaders of `footnote`; tests that are not about reading files replace them with `PoolInProcess`."""
    return LoaderPool


@pytest.fixture
def footnote(
    settings: Settings, loads: list[Path], open_embedder: OpenEmbedder, open_loaders: OpenLoaders
) -> Iterator[Footnote]:
    library = partial(Library, open_embedder=open_embedder, open_loaders=counting(open_loaders, loads))
    with open_footnote(settings, library) as one:
        yield one


@pytest.fixture
def with_settings() -> Iterator[Callable[..., Footnote]]:
    """Puts other settings in place of an open Footnote's, for the same documents; equal ones give the same again."""
    made: dict[str, Footnote] = {}

    def changed(footnote: Footnote, **fields: object) -> Footnote:
        key = repr(sorted(fields.items()))
        if key not in made:
            footnote.library.settings = footnote.settings.model_copy(update=fields)
            made[key] = open_footnote(footnote.settings, lambda _settings: footnote.library)
        return made[key]

    yield changed
    for one in made.values():
        one.conversations.close()


@pytest.fixture(scope="session")
def sampled(
    tmp_path_factory: pytest.TempPathFactory, chroma_url: str, open_embedder: OpenEmbedder
) -> Iterator[Footnote]:
    """The sample documents, ingested once; to be read only."""
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("sampled"), chroma_url=chroma_url)
    with open_footnote(settings, partial(Library, open_embedder=open_embedder)) as one:
        report = one.ingest([SAMPLES])
        assert report.count("failed") == 0
        yield one


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = os.environ.get("FOOTNOTE_SHARED")
    if not folder:
        pytest.skip("FOOTNOTE_SHARED is not set")
    return Path(folder).resolve()


@pytest.fixture
def write(tmp_path: Path):
    """Writes a file of text or bytes into a folder of documents and gives its path."""

    def written(name: str, content: str | bytes = "Some words that can be found.") -> Path:
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


@pytest.fixture
def write_pdf(tmp_path: Path):
    """Writes a PDF with one text a page ("" leaves it empty), with a password if one is given."""

    def written(name: str, pages: list[str], password: str = "", title: str = "") -> Path:
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        encrypt = StandardEncryption(password) if password else None
        canvas = Canvas(str(path), encrypt=encrypt, invariant=1)
        canvas.setTitle(title or "untitled")
        for text in pages:
            lines = canvas.beginText(72, 770)
            for line in text.splitlines():
                lines.textLine(line)
            canvas.drawText(lines)
            canvas.showPage()
        canvas.save()
        return path

    return written


@pytest.fixture
def draw():
    """Draws lines of text on a white picture, as a scanner would see them."""

    def drawn(lines: list[str], size: tuple[int, int] = (1240, 600), turned: int = 0) -> Image.Image:
        picture = Image.new("RGB", size, "white")
        pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=44)
        for i, line in enumerate(lines):
            pen.text((90, 80 + 90 * i), line, fill="black", font=font)
        return picture.rotate(-turned, expand=True)

    return drawn


@pytest.fixture
def write_scan(tmp_path: Path, draw):
    """Writes a PDF whose pages are pictures of a line of text each, turned clockwise by so many degrees."""

    def written(name: str, pages: list[str], turned: int = 0) -> Path:
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        first, *more = (draw([text], turned=turned) for text in pages)
        first.save(path, "PDF", resolution=150, save_all=True, append_images=more)
        return path

    return written


@pytest.fixture
def write_docx(tmp_path: Path):
    """Writes a Word document from (style, text) pairs; a list of lists is a table."""

    def written(name: str, parts: list) -> Path:
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        word = docx.Document()
        for part in parts:
            if isinstance(part, list):
                table = word.add_table(rows=len(part), cols=len(part[0]))
                for i, row in enumerate(part):
                    for j, cell in enumerate(row):
                        table.cell(i, j).text = cell
            else:
                word.add_paragraph(part[1], style=part[0])
        word.save(path)
        return path

    return written


@pytest.fixture
def word_embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def dead_proxy(monkeypatch):
    """Sets a proxy that does not exist: requests to this machine must not use it."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.fixture
def llm(settings, dead_proxy):
    """Builds the language model of a server's address, and of settings that are another than here."""

    def built(url: str, patience: Patience = PATIENCE, **more) -> ChatLLM:
        fields = {"llm": "openai:test-model", "llm_base_url": url, "llm_timeout": 20, "llm_retry_seconds": 0.0}
        fields |= {"openai_api_key": SecretStr("sk-very-secret")}
        found = build_llm(settings.model_copy(update=fields | more), patience)
        assert found is not None
        return found

    return built
