"""Every error that Footnote raises on purpose.

Each message says what happened, to which file or setting, and what the user can do::

    FootnoteError
    ├── SettingsError             a FOOTNOTE_ variable has a value that cannot be used
    ├── SourceError               a path or collection named by the user is not there, or not usable
    ├── LoadError                 one document could not be read (the others go on)
    │   ├── EmptyDocument         nothing in it can be searched
    │   ├── EncryptedDocument     a password is needed
    │   ├── DamagedDocument       truncated, or not what its name says
    │   ├── OversizedDocument     what it holds is more than one file may give
    │   ├── UnsupportedDocument   no loader knows this kind of file
    │   ├── UnreadableFile        the file system does not give the file out
    │   ├── LoaderStopped         the loader crashed, hung, or outgrew its limits
    │   ├── NoRoom                a long document cannot be kept while it is read: the disk is full
    │   └── NotConfined           the reading process cannot be kept from the rest of the machine
    ├── EmbedderError             an embedding model cannot be loaded or trusted
    │   └── EmbedderMismatch      the model is not the one that the index was made with, or cannot replace it
    ├── StoreError                an index store cannot be read or written
    │   ├── VectorStoreError      Chroma, or its server
    │   │   └── VectorsDamaged    what it should hold is not there, or cannot be read
    │   ├── LexicalStoreError     tantivy
    │   │   └── LexicalDamaged    what it should hold is not there, or cannot be read
    │   ├── DocumentStoreError    SQLite
    │   └── BackupError           an archive cannot be written, read or trusted
    ├── Cancelled                 the user stopped the work; what was done is kept
    ├── QuestionError             a question or its options cannot be used
    ├── RerankerError             the reranker that the settings name cannot be used at all
    │   └── RerankerFailed        it gave no usable scores this time; the search's own order stands
    ├── AlreadyRunning            another `footnote run` serves this data folder, or the port is taken
    └── LLMError                  the language model gave no usable answer
        ├── LLMNotConfigured      no key, no such provider, or its package is missing
        ├── LLMRefusedKey         the key was not accepted
        ├── LLMNotFound           the server knows no such model
        ├── LLMNoCredit           the provider's account has nothing left to spend
        ├── LLMUnreachable        no connection, or no answer in time
        ├── LLMBusy               the server cannot answer just now; carries the seconds to wait, if told
        │   └── LLMRateLimited    too many requests
        ├── LLMContextTooLong     the prompt is longer than the model reads; carries how much it reads, if told
        └── LLMInterrupted        the stream ended before the answer did; carries what came
"""


class FootnoteError(Exception):
    """Base of all errors raised on purpose; its text is fit to be shown to a user."""


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


class LLMError(FootnoteError): ...


class LLMNotConfigured(LLMError): ...


class LLMRefusedKey(LLMError): ...


class LLMNotFound(LLMError): ...


class LLMUnreachable(LLMError): ...


class LLMNoCredit(LLMError): ...


class LLMBusy(LLMError):
    """The server cannot answer just now, but may a little later.

    Attributes:
        retry_after: seconds the server asked to wait, or None when it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LLMRateLimited(LLMBusy):
    """Too many requests."""


class LLMContextTooLong(LLMError):
    """The prompt is longer than the model reads.

    Attributes:
        context_tokens: how much it reads, answer included, or None when the server did not say.
    """

    def __init__(self, message: str, *, context_tokens: int | None = None) -> None:
        super().__init__(message)
        self.context_tokens = context_tokens


class LLMInterrupted(LLMError):
    """The stream ended before the answer did.

    Attributes:
        partial: the text that came before the cut.
    """

    def __init__(self, message: str, *, partial: str = "") -> None:
        super().__init__(message)
        self.partial = partial
