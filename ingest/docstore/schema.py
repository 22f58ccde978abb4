"""Database schema of the document store.

collections   a named knowledge base; `changes` counts changes that searches must see completely or not at all
embedders     the models of a collection: searched (current), being filled (next), kept for a rollback (previous)
vectors       an embedder's vector of a text; Chroma's copy is rebuilt from here without the model
token_vectors its packed vectors of the text's tokens, those of content apart; deleted with the text's vector
documents     one source in a collection; its id is stable across edits
tags          the user's labels of documents, to filter by
versions      one content of a document: pending (being written), active (searchable), stale (to be deleted)
segments      the text of a version, with its pages and word positions, in pieces of bounded size
periods       the periods that a version reports on, and other days named in its opening
chunks        the pieces of a version, with their offsets in its text
unembedded    active versions whose vectors are not all written, how many are, and how often searches found them
failures      the reason why a source could not be read, and the fingerprint of its content
jobs          the writer of a collection, the waiting writers, and their progress
"""

from ingest.docstore.database import Step
from ingest.docstore.periods import fill_periods

SCHEMA_VERSION = 8

# `kept` is 0 until vectors that format 2 stored only in Chroma are also in `vectors`. `generation` counts rebuilds of
# the Chroma collection; `garbage` counts chunks deleted since then, whose space Chroma does not free.
EMBEDDERS = """
CREATE TABLE IF NOT EXISTS embedders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('current', 'next', 'previous')),
    model TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    dimensions INTEGER NOT NULL,
    created REAL NOT NULL,
    kept INTEGER NOT NULL DEFAULT 1,
    generation INTEGER NOT NULL DEFAULT 0,
    garbage INTEGER NOT NULL DEFAULT 0,
    UNIQUE (collection, role),
    UNIQUE (collection, fingerprint)
);
CREATE TABLE IF NOT EXISTS vectors (
    embedder INTEGER NOT NULL REFERENCES embedders ON DELETE CASCADE,
    embed_key BLOB NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (embedder, embed_key)
);
"""

# Separate from the vectors, because filtered searches read thousands of vectors without tokens. `others` is null where
# a format before 7 stored content tokens only.
LATE_INTERACTION = """
CREATE TABLE IF NOT EXISTS token_vectors (
    embedder INTEGER NOT NULL,
    embed_key BLOB NOT NULL,
    tokens BLOB NOT NULL,
    others BLOB,
    PRIMARY KEY (embedder, embed_key),
    FOREIGN KEY (embedder, embed_key) REFERENCES vectors ON DELETE CASCADE
);
"""

TAGS = """
CREATE TABLE IF NOT EXISTS tags (
    document TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (document, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tags_by_name ON tags (name, document);
CREATE INDEX IF NOT EXISTS documents_by_type ON documents (collection, type);
CREATE INDEX IF NOT EXISTS documents_by_day ON documents (collection, updated);
"""
# The file extension in `source`, as `ingest.filters.document_type` defines it. SQLite cannot search for the last dot,
# so rtrim removes all other characters from the right.
TYPE_OF_FILE = "lower(substr(source, length(rtrim(source, replace(source, '.', ''))) + 1))"

UNEMBEDDED = """
CREATE TABLE IF NOT EXISTS unembedded (
    version TEXT PRIMARY KEY REFERENCES versions ON DELETE CASCADE,
    chunks INTEGER NOT NULL,
    written INTEGER NOT NULL DEFAULT 0,
    asked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
"""

# Joins used by nearly every query. SQLite expands views inline, so they cost nothing.
VIEWS = """
CREATE VIEW IF NOT EXISTS stored_versions AS
SELECT v.*, d.collection, d.source, d.updated, d.type FROM versions v JOIN documents d ON d.id = v.document;
CREATE VIEW IF NOT EXISTS stored_chunks AS
SELECT c.*, c.rowid AS written, v.status, v.title, v.document, d.collection, d.source
FROM chunks c JOIN versions v ON v.id = c.version JOIN documents d ON d.id = v.document;
"""

# Offsets in `page_spans` and `places` count from the start of the segment; `start` and `stop`, from that of the text.
SEGMENTS = """
CREATE TABLE IF NOT EXISTS segments (
    version TEXT NOT NULL REFERENCES versions ON DELETE CASCADE,
    number INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    text TEXT NOT NULL,
    page_spans TEXT NOT NULL DEFAULT '[]',
    places BLOB NOT NULL DEFAULT x'',
    PRIMARY KEY (version, number)
);
"""

# `role`: "named" in the file name or title, "day" for the first day in the opening, "other" for the other days in it.
PERIODS = """
CREATE TABLE IF NOT EXISTS periods (
    version TEXT NOT NULL REFERENCES versions ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('named', 'day', 'other')),
    period TEXT NOT NULL,
    PRIMARY KEY (version, role, period)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS periods_by_period ON periods (period, version) WHERE role != 'other';
"""

# Columns that format 3 computes from others; a file restored from an older backup already has segments.
TEXT_BYTES = (
    "UPDATE versions SET text_bytes ="
    " (SELECT coalesce(sum(length(CAST(text AS BLOB))), 0) FROM segments WHERE version = versions.id)"
)
DOCUMENT_TYPES = (
    f"UPDATE documents SET type = {TYPE_OF_FILE} WHERE instr(source, '.') AND NOT instr({TYPE_OF_FILE}, '/')"  # noqa: S608 - constants
)

# For each version, what upgrades a file of the previous version: statements, and functions of the open file.
MIGRATIONS: dict[int, tuple[Step, ...]] = {
    2: (
        """
ALTER TABLE versions ADD COLUMN reading TEXT NOT NULL DEFAULT '{}';
ALTER TABLE versions ADD COLUMN page_spans TEXT NOT NULL DEFAULT '[]';
ALTER TABLE versions ADD COLUMN places BLOB NOT NULL DEFAULT x'';
ALTER TABLE chunks ADD COLUMN place TEXT NOT NULL DEFAULT '';
ALTER TABLE failures ADD COLUMN seconds REAL NOT NULL DEFAULT 0;
""",
    ),
    3: (
        EMBEDDERS,
        """
INSERT INTO embedders (collection, role, model, fingerprint, dimensions, created, kept)
    SELECT id, 'current', embedding_model, fingerprint, dimensions, created, 0 FROM collections WHERE fingerprint != '';
ALTER TABLE collections DROP COLUMN embedding_model;
ALTER TABLE collections DROP COLUMN fingerprint;
ALTER TABLE collections DROP COLUMN dimensions;
ALTER TABLE collections ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chunks ADD COLUMN context TEXT;
ALTER TABLE versions ADD COLUMN text_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN type TEXT NOT NULL DEFAULT '';
UPDATE versions SET text_bytes = length(CAST(text AS BLOB));
""",
        DOCUMENT_TYPES,
        TAGS,
    ),
    4: (
        """
CREATE TABLE token_vectors (
    embedder INTEGER NOT NULL,
    embed_key BLOB NOT NULL,
    tokens BLOB NOT NULL,
    PRIMARY KEY (embedder, embed_key),
    FOREIGN KEY (embedder, embed_key) REFERENCES vectors ON DELETE CASCADE
);
""",
    ),
    5: (
        SEGMENTS,
        """
INSERT INTO segments (version, number, start, stop, text, page_spans, places)
    SELECT id, 0, 0, length(text), text, page_spans, places FROM versions;
ALTER TABLE versions DROP COLUMN text;
ALTER TABLE versions DROP COLUMN page_spans;
ALTER TABLE versions DROP COLUMN places;
""",
        VIEWS,
    ),
    6: (PERIODS, fill_periods),
    7: ("ALTER TABLE token_vectors ADD COLUMN others BLOB;",),
    8: (UNEMBEDDED,),
}

SCHEMA = """
CREATE TABLE IF NOT EXISTS collections (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    created REAL NOT NULL,
    changes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    source TEXT NOT NULL,
    updated REAL NOT NULL,
    type TEXT NOT NULL DEFAULT '',
    UNIQUE (collection, source)
);
CREATE TABLE IF NOT EXISTS versions (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'stale')),
    content_sha TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    title TEXT NOT NULL,
    pages INTEGER,
    warnings TEXT NOT NULL,
    size INTEGER NOT NULL,
    created REAL NOT NULL,
    reading TEXT NOT NULL DEFAULT '{}',
    text_bytes INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS versions_by_document ON versions (document, status);
CREATE INDEX IF NOT EXISTS versions_by_status ON versions (status) WHERE status != 'active';
CREATE TABLE IF NOT EXISTS chunks (
    id TEXT PRIMARY KEY,
    version TEXT NOT NULL REFERENCES versions ON DELETE CASCADE,
    position INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    text TEXT NOT NULL,
    page INTEGER,
    heading TEXT NOT NULL,
    embed_key BLOB NOT NULL,
    place TEXT NOT NULL DEFAULT '',
    context TEXT
);
CREATE INDEX IF NOT EXISTS chunks_by_version ON chunks (version, position);
CREATE INDEX IF NOT EXISTS chunks_by_embed_key ON chunks (embed_key);
CREATE TABLE IF NOT EXISTS failures (
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    source TEXT NOT NULL,
    content_sha TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    error TEXT NOT NULL,
    at REAL NOT NULL,
    seconds REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (collection, source)
);
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    ticket INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'writing')),
    what TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_started REAL NOT NULL,
    files_done INTEGER NOT NULL DEFAULT 0,
    files_total INTEGER NOT NULL DEFAULT 0
);
"""
SCHEMA += SEGMENTS + EMBEDDERS + LATE_INTERACTION + TAGS + PERIODS + UNEMBEDDED + VIEWS
