"""The tree of errors that Footnote raises on purpose.

Each message says what happened, to which file or setting, and what the user can do::

    FootnoteError
    ├── SettingsError             a FOOTNOTE_ variable has a value that cannot be used
        ├── SourceError               a path or collection named by the user does not exist, or cannot be used
        ├── LoadError                 one document could not be read (the others are still ingested)
        │   ├── EmptyDocument         it has no searchable text
        │   ├── EncryptedDocument     a password is needed
        │   ├── DamagedDocument       truncated, or not of the type that its name says
        │   ├── OversizedDocument     its content exceeds the limit for one file
        │   ├── UnsupportedDocument   no loader for this type of file
        │   ├── UnreadableFile        the file system refuses to open or read the file
        │   ├── LoaderStopped         the loader crashed, hung, or exceeded its limits
        │   ├── NoRoom                the disk is full while a long document is being read
        │   └── NotConfined           the reading process cannot be sandboxed
        ├── EmbedderError             an embedding model cannot be loaded or trusted
        │   └── EmbedderMismatch      not the model that the index was made with, or it cannot replace that model
    ├── StoreError                an index store cannot be read or written
        │   ├── VectorStoreError      Chroma, or its server
        │   │   └── VectorsDamaged    vectors are missing or unreadable
        │   ├── LexicalStoreError     tantivy
        │   │   └── LexicalDamaged    the text index is incomplete or unreadable
    │   ├── DocumentStoreError    SQLite
    │   └── BackupError           an archive cannot be written, read or trusted
        ├── Cancelled                 the user cancelled the work; what was finished is kept
    ├── QuestionError             a question or its options cannot be used
        ├── RerankerError             the configured reranker cannot be used at all
        │   └── RerankerFailed        it returned no usable scores this time; results keep the order of the search
        ├── AlreadyRunning            another `footnote run` serves this data folder, or the port is taken
        ├── ChatStopped               the running chat ended before it had answered a command
        └── LLMError                  the language model returned no usable answer
            ├── LLMNotConfigured      no key, an unknown provider, or its package is missing
            ├── LLMRefusedKey         the key was not accepted
            ├── LLMNotFound           the server does not have the model
            ├── LLMNoCredit           the provider's account has no credit left
            ├── LLMUnreachable        no connection, or no answer in time
            ├── LLMBusy               the server is temporarily busy; carries the seconds to wait, if known
            │   └── LLMRateLimited    too many requests
            ├── LLMContextTooLong     the prompt exceeds the context window; carries the window's size, if known
            └── LLMInterrupted        the stream ended before the answer did; carries the partial answer
"""


class FootnoteError(Exception):
    """Base class of all errors raised on purpose; the message is suitable for users."""


class SettingsError(FootnoteError): ...


class SourceError(FootnoteError): ...


class LoadError(FootnoteError): ...


class EmptyDocument(LoadError): ...


class EncryptedDocument(LoadError): ...


class DamagedDocument(LoadError): ...


class OversizedDocument(LoadError): ...


class UnsupportedDocument(LoadError): ...


class UnreadableFile(LoadError): ...


class LoaderStopped(LoadError): ...


class NoRoom(LoadError): ...


class NotConfined(LoadError): ...


class EmbedderError(FootnoteError): ...


class EmbedderMismatch(EmbedderError): ...


class StoreError(FootnoteError): ...


class VectorStoreError(StoreError): ...


class VectorsDamaged(VectorStoreError): ...


class LexicalStoreError(StoreError): ...


class LexicalDamaged(LexicalStoreError): ...


class DocumentStoreError(StoreError): ...


class BackupError(StoreError): ...


class Cancelled(FootnoteError): ...


class QuestionError(FootnoteError): ...


class RerankerError(FootnoteError): ...


class RerankerFailed(RerankerError): ...


class AlreadyRunning(FootnoteError): ...


class ChatStopped(FootnoteError): ...


class LLMError(FootnoteError): ...


class LLMNotConfigured(LLMError): ...


class LLMRefusedKey(LLMError): ...


class LLMNotFound(LLMError): ...


class LLMUnreachable(LLMError): ...


class LLMNoCredit(LLMError): ...


class LLMBusy(LLMError):
    """The server is temporarily busy.

    Attributes:
        retry_after: seconds the server asked to wait, or None if it gave none.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LLMRateLimited(LLMBusy):
    """Too many requests."""


class LLMContextTooLong(LLMError):
    """The prompt is longer than the model's context window.

    Attributes:
        context_tokens: size of the context window, answer included, or None if the server did not report it.
    """

    def __init__(self, message: str, *, context_tokens: int | None = None) -> None:
        super().__init__(message)
        self.context_tokens = context_tokens


class LLMInterrupted(LLMError):
    """The stream ended before the answer did.

    Attributes:
        partial: the text received before the stream ended.
    """

    def __init__(self, message: str, *, partial: str = "") -> None:
        super().__init__(message)
        self.partial = partial
