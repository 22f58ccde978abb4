"""The tables of the document store.

collections   a named knowledge base and the embedder it was made with
documents     one source in a collection; its id is stable across edits
versions      one content of a document: pending (being written), active (found), stale (to be collected)
chunks        the pieces of a version, with their place in its text
failures      why a source could not be read, and of which bytes
jobs          who writes to a collection, who waits for it, and how far they are
"""

SCHEMA_VERSION = 2

# What brings a file of the version before to each version.
MIGRATIONS = {
    2: """
ALTER TABLE versions ADD COLUMN reading TEXT NOT NULL DEFAULT '{}';
ALTER TABLE versions ADD COLUMN page_spans TEXT NOT NULL DEFAULT '[]';
ALTER TABLE versions ADD COLUMN places BLOB NOT NULL DEFAULT x'';
ALTER TABLE chunks ADD COLUMN place TEXT NOT NULL DEFAULT '';
ALTER TABLE failures ADD COLUMN seconds REAL NOT NULL DEFAULT 0;
""",
}

SCHEMA = """
CREATE TABLE IF NOT EXISTS collections (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    embedding_model TEXT NOT NULL DEFAULT '',
    fingerprint TEXT NOT NULL DEFAULT '',
    dimensions INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    source TEXT NOT NULL,
    updated REAL NOT NULL,
    UNIQUE (collection, source)
);
CREATE TABLE IF NOT EXISTS versions (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'stale')),
    content_sha TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    pages INTEGER,
    warnings TEXT NOT NULL,
    size INTEGER NOT NULL,
    created REAL NOT NULL,
    reading TEXT NOT NULL DEFAULT '{}',
    page_spans TEXT NOT NULL DEFAULT '[]',
    places BLOB NOT NULL DEFAULT x''
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
    place TEXT NOT NULL DEFAULT ''
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
