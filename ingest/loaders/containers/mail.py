"""Reads messages and mailboxes with their attachments, Outlook messages, and web pages saved as mail (MHTML)."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import EmailPolicy
from typing import Any

from ingest.errors import DamagedDocument, EmptyDocument, OversizedDocument
from ingest.loaders.containers.members import Members
from ingest.loaders.document_builder import Builder
from ingest.loaders.markup.html import add_html, read_html
from ingest.loaders.plain_text import add_paragraphs
from ingest.loaders.source import Source
from ingest.models import Document

HEADERS = ("From", "To", "Cc", "Date", "Subject")
# Python parses headers in more than linear time, so longer ones are used unparsed.
MOST_HEADER = 4_000
# The line that separates messages in a mailbox.
MBOX_FROM = re.compile(rb"^From (?>.*?\d\d:\d\d).*+\n(?=[!-9;-~]++:|>From |\r?\n)", re.MULTILINE)
QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
ENCLOSED = {"message/rfc822": ".eml", "text/html": ".html", "text/plain": ".txt", "text/calendar": ".txt"}
# Tag of the Outlook property that holds a message's text as compressed RTF.
RTF_BODY = 0x1009
PAGES = frozenset({"text/html", "application/xhtml+xml"})
SIGNATURES = frozenset({"application/pkcs7-signature", "application/pgp-signature", "application/x-pkcs7-signature"})


def load_eml(source: Source) -> Document:
    """Reads a message (.eml) and its attachments.

    Raises:
        EmptyDocument: it has neither text nor headers.
    """
    builder = Builder(source.output)
    members = Members(builder, source)
    subject = _Message(_parsed(source.data), builder, members).add()
    return _built(builder, subject, members, source)


def load_mbox(source: Source) -> Document:
    """Reads a mailbox, each message as a page.

    Raises:
        DamagedDocument: it contains no message.
    """
    builder = Builder(source.output)
    members = Members(builder, source)
    starts = list(MBOX_FROM.finditer(source.data))
    if not starts:
        raise DamagedDocument(f"{source} is not a mailbox: it contains no message. Correct its file extension.")
    if len(starts) == 1 and source.suffix == ".eml":
        return load_eml(replace(source, data=source.data[starts[0].end() :]))
    ends = [start.start() for start in starts[1:]] + [len(source.data)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
        builder.begin_page(f"message {number}")
        raw = QUOTED_FROM.sub(rb"\1", source.data[start.end() : end])
        _Message(_parsed(raw), builder, members).add(heading=True)
    return _built(builder, "", members, source)


def load_mhtml(source: Source) -> Document:
    """Reads the text of a web page saved with all its parts (.mhtml).

    Raises:
        DamagedDocument: it contains no page.
    """
    pages = [part for part in _parsed(source.data).walk() if part.get_content_type() in PAGES]
    if not pages:
        raise DamagedDocument(f"{source} is not a web archive: it contains no page. Correct its file extension.")
    with source.output.apart():
        read = [read_html(_text(part), source.output) for part in pages]
    builder = Builder(source.output)
    for document in read:  # a page of frames comes before their contents
        builder.insert(document)
    return builder.build(read[0].title)


def load_msg(source: Source) -> Document:
    """Reads an Outlook message (.msg) and its attachments.

    Raises:
        DamagedDocument: it cannot be opened as one.
    """
    from oxmsg import Message as OutlookMessage  # noqa: PLC0415 - loaded for such files only

    builder = Builder(source.output)
    members = Members(builder, source)
    try:
        message = OutlookMessage.load(io.BytesIO(source.data))
        written = {name.casefold(): value for name, value in (message.message_headers or {}).items()}
        subject = _words(written.get("subject") or message.subject or "")
        attached = [(one.file_name or "attachment", one.file_bytes) for one in message.attachments]
        _add_outlook(builder, message, subject)
    except OversizedDocument:
        raise
    except Exception as error:
        raise DamagedDocument(
            f"{source} is damaged: it cannot be read as an Outlook message ({type(error).__name__}: {error})."
        ) from error
    for name, data in attached:
        if data:
            members.add(name, data)
    return _built(builder, subject, members, source)


def _built(builder: Builder, subject: str, members: Members, source: Source) -> Document:
    document = builder.build(subject, members.warnings)
    if not document.text:
        raise members.failure() or EmptyDocument(f"{source} is empty: the message has no text and no headers.")
    return document


class _Policy(EmailPolicy):
    """Python's policy, except that long headers are not parsed."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        if len(value) <= MOST_HEADER:
            return super().header_fetch_parse(name, value)
        return _words(value) if name.title() in HEADERS else value[:MOST_HEADER]


def _parsed(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=_Policy()).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    return message


class _Message:
    """Adds one message to the document."""

    def __init__(self, message: EmailMessage, builder: Builder, members: Members) -> None:
        self._message = message
        self._builder = builder
        self._members = members

    def add(self, *, heading: bool = False) -> str:
        """Adds headers, text and attachments; returns the subject."""
        headers = {name: _header(self._message, name) for name in HEADERS}
        subject = headers["Subject"]
        if heading:
            self._builder.add_heading(1, subject)
        self._builder.add("metadata", "\n".join(f"{name}: {value}" for name, value in headers.items() if value))
        text, attached = self._split()
        for part in text:
            _add_text(self._builder, part)
        for part in attached:
            self._attach(part)
        return subject

    def _split(self) -> tuple[list[Message], list[Message]]:
        """Divides the parts into the message's text and its attachments."""
        text: list[Message] = []
        attached: list[Message] = []
        for part in _leaves(self._message):
            kind = part.get_content_type()
            named = part.get_filename() or part.get_content_disposition() == "attachment"
            (attached if named or kind not in {"text/plain", "text/html"} else text).append(part)
        return text, attached

    def _attach(self, part: Message) -> None:
        kind = part.get_content_type()
        name = _safe(part.get_filename() or "") or f"attachment{ENCLOSED.get(kind, '')}"
        inline = kind.startswith("image/") and part.get("Content-ID") and part.get_content_disposition() != "attachment"
        if kind in SIGNATURES or inline:  # a logo in the text
            return
        data = _enclosed(part) if kind == "message/rfc822" else part.get_payload(decode=True)
        if isinstance(data, bytes) and data.strip():
            self._members.add(name, data)


def _leaves(message: Message) -> Iterator[Message]:
    """Yields parts without subparts; of alternatives, the plain text, or without one, the last readable part."""
    if message.get_content_type() == "message/rfc822" or not message.is_multipart():
        yield message
        return
    parts = [part for part in message.get_payload() if isinstance(part, Message)]
    if message.get_content_type() == "multipart/alternative":
        plain = [part for part in parts if part.get_content_type() == "text/plain" and _text(part).strip()]
        rich = [part for part in parts if part.get_content_type() != "text/plain"]
        parts = [plain[0], *(part for part in rich if part.is_multipart())] if plain else parts[-1:]
        if plain:  # the HTML repeats the plain text; parts beside it are attachments
            yield plain[0]
            for part in parts[1:]:
                yield from (leaf for leaf in _leaves(part) if leaf.get_content_type() != "text/html")
            return
    for part in parts:
        yield from _leaves(part)


def _add_text(builder: Builder, part: Message) -> None:
    text = _text(part)
    if part.get_content_type() == "text/html":
        add_html(builder, text)
        return
    add_paragraphs(builder, text)


def _text(part: Message) -> str:
    """Decodes a part's text by its declared encoding, or the likeliest one if that is wrong."""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    charset = str(part.get_content_charset() or "utf-8")
    with suppress(LookupError, UnicodeDecodeError, ValueError):
        return raw.decode(charset)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _header(message: Message, name: str) -> str:
    try:
        value = message.get(name)
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):  # headers that the parser cannot handle
        value = next((str(raw) for key, raw in message.raw_items() if key.casefold() == name.casefold()), "")
    return " ".join(str(value or "").split())


def _enclosed(part: Message) -> bytes:
    inner = part.get_payload()
    message = inner[0] if isinstance(inner, list) and inner else inner
    if isinstance(message, Message) and part.get("Content-Transfer-Encoding", "").strip().lower() == "base64":
        with suppress(ValueError):  # forbidden by the standard, but it occurs
            return base64.b64decode(str(message.get_payload()))
    return message.as_bytes() if isinstance(message, Message) else str(message or "").encode()


def _safe(name: str) -> str:
    """Returns a sender's file name without folders and control characters."""
    return "".join(c for c in re.split(r"[\\/]", name)[-1] if c.isprintable()).strip()[:200]


def _add_outlook(builder: Builder, message: Any, subject: str) -> None:
    headers = {name.casefold(): value for name, value in (message.message_headers or {}).items()}
    to = ", ".join(_address(one) for one in message.recipients)
    sent = message.sent_date
    facts = {
        "From": message.sender or headers.get("from", ""),
        "To": headers.get("to") or to,
        "Cc": headers.get("cc", ""),
        "Date": headers.get("date") or (sent.isoformat(" ", "minutes") if sent else ""),
        "Subject": subject,
    }
    lines = (f"{name}: {_words(str(value))}" for name, value in facts.items() if value)
    builder.add("metadata", "\n".join(lines))
    plain = message.body or ""
    if plain.strip():
        add_paragraphs(builder, plain)
    elif message.html_body:
        add_html(builder, message.html_body)
    elif packed := message.properties.binary_prop_value(RTF_BODY):
        _add_rich_text(builder, packed)


def _add_rich_text(builder: Builder, packed: bytes) -> None:
    from compressed_rtf import decompress  # noqa: PLC0415 - for few messages
    from striprtf.striprtf import rtf_to_text  # noqa: PLC0415 - for few messages

    text = rtf_to_text(decompress(packed).decode("latin-1"), errors="ignore")  # type: ignore[no-untyped-call]
    add_paragraphs(builder, text)


def _words(header: str) -> str:
    """Returns a header's words, decoded from their transport encoding."""
    if "=?" in header:
        with suppress(HeaderParseError, LookupError, UnicodeError, ValueError):
            header = str(make_header(decode_header(header)))
    return " ".join(header.split())


def _address(recipient: Any) -> str:
    return f"{recipient.name} <{recipient.email_address}>" if recipient.email_address else str(recipient.name)
