"""Adds documents by drag and drop, and shows the progress and result of each file.

The work runs in a background thread, so that a reload or a closed tab does not stop it or lose its results.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.footnote import Footnote
from app.presentation import reading_words
from app.ui.components.rendering import document_name, passages, plain, text_html
from ingest.errors import FootnoteError
from ingest.reports import FileOutcome, IngestProgress

logger = logging.getLogger(__name__)
WORDS = {"added": "added", "updated": "updated", "unchanged": "already there", "failed": "failed", "removed": "removed"}


@dataclass(slots=True)
class Job:
    """An upload in progress."""

    collection: str
    files: int
    progress: IngestProgress | None = None
    outcomes: list[FileOutcome] = field(default_factory=list)
    error: str = ""
    done: bool = False
    cancel: threading.Event = field(default_factory=threading.Event)

    @property
    def embedding(self) -> bool:
        """Returns True once the texts of all files are written, so that they can be asked."""
        return self.progress is not None and self.progress.embedding

    def saw(self, progress: IngestProgress) -> None:
        """Records a progress update; passed as `on_progress`."""
        self.progress = progress
        if progress.outcome:
            self.outcomes.append(progress.outcome)


@st.cache_resource
def jobs() -> dict[str, Job]:
    """Returns the last upload of each collection, shared by all sessions of this process."""
    return {}


def draw(footnote: Footnote, collection: str) -> None:
    """Draws the drop zone, and the state of the last upload."""
    job = jobs().get(collection)
    n = st.session_state.setdefault("upload", 0)
    files = st.file_uploader(
        "Add documents",
        accept_multiple_files=True,
        key=f"upload-{collection}-{n}",
        disabled=job is not None and not job.done and not job.embedding,
    )
    if files:
        st.session_state["upload"] = n + 1  # a new, empty drop zone, so that the same file can be dropped again
        jobs()[collection] = _start(footnote, collection, files)
        st.rerun()
    if job:
        _status(job)


def _start(footnote: Footnote, collection: str, files: Sequence[UploadedFile]) -> Job:
    job = Job(collection, len(files))
    paths = [footnote.save_upload(file.name, file, collection=collection) for file in files]
    threading.Thread(target=_run, args=(footnote, job, paths), name="upload", daemon=True).start()
    return job


def _run(footnote: Footnote, job: Job, paths: Sequence[Path]) -> None:
    try:
        footnote.ingest(paths, collection=job.collection, on_progress=job.saw, cancel=job.cancel)
    except FootnoteError as error:
        job.error = str(error)
    except Exception:
        logger.exception("The upload to %s failed", job.collection)
        job.error = "Something went wrong here; the details are in the log of `footnote run`. Upload the files again."
    finally:
        job.done = True


def _status(job: Job) -> None:
    st.fragment(_moment, run_every=None if job.done else 0.5)(job)


def _moment(job: Job) -> None:
    """Draws the state of a job; repeated until it is done, then once more with the whole page."""
    if not job.done:
        st.progress(_share(job), text=_doing(job))
        if not job.embedding and st.button(
            "Stop", icon=":material/stop:", key="stop-upload", disabled=job.cancel.is_set()
        ):
            job.cancel.set()
    elif not st.session_state.get(f"seen-{id(job)}"):
        st.session_state[f"seen-{id(job)}"] = True
        st.rerun()
    for outcome in list(job.outcomes):
        st.html(_outcome_html(outcome))
    if job.error:
        st.error(plain(job.error))
    elif job.done and job.cancel.is_set():
        st.html(text_html("Stopped. Upload the files again to continue.", "fn-small"))
    if job.done and st.button("Dismiss", key="dismiss-upload", type="tertiary"):
        jobs().pop(job.collection, None)
        st.rerun()


def _share(job: Job) -> float:
    """Returns the part of a job that is done, 0 to 1: of the files, then of their passages."""
    progress = job.progress
    if progress and progress.embedding:
        return min(1.0, progress.chunks_done / max(progress.chunks_total, 1))
    return min(1.0, len(job.outcomes) / max(job.files, 1))


def _doing(job: Job) -> str:
    progress = job.progress
    if progress is None or progress.scanning:
        return "Reading …"
    if progress.waiting_for:
        return "Waiting for another ingest to finish …"
    if progress.embedding:
        done = f"{progress.chunks_done:,} of {passages(progress.chunks_total)} embedded"
        return f"Ready to be asked; {done}"
    return f"{progress.files_done} of {progress.files_total} files, {passages(progress.chunks_total)}"


def _outcome_html(outcome: FileOutcome) -> str:
    name = escape(document_name(outcome.path))
    kind = "fn-outcome fn-failed" if outcome.status == "failed" else "fn-outcome"
    notes = " ".join(filter(None, (outcome.error, *outcome.warnings)))
    read = reading_words(outcome.pages, outcome.reading) if outcome.reading else ""
    counts = [passages(outcome.chunks), read] if outcome.chunks else []
    said = ", ".join([WORDS[outcome.status], *filter(None, counts)])
    return f'<p class="{kind}"><b>{name}</b> {said}</p>' + (text_html(notes, "fn-small") if notes else "")
