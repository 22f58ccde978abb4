"""Database schema of the conversations, used by `app.conversations.store` and by backups."""

SCHEMA_VERSION = 6
SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    collection TEXT NOT NULL,
    updated REAL NOT NULL,
    filter TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS exchanges (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    question TEXT NOT NULL,
    answer TEXT,
    asked REAL NOT NULL,
    helpful INTEGER,
    earlier TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX IF NOT EXISTS exchanges_by_conversation ON exchanges (conversation, id);
"""
MIGRATIONS: dict[int, tuple[str, ...]] = {
    2: (
        """
ALTER TABLE exchanges ADD COLUMN helpful INTEGER;
ALTER TABLE conversations ADD COLUMN filter TEXT NOT NULL DEFAULT '{}';
""",
    ),
    3: (),  # same tables, but answers record what was used and the prompt, which format 2 cannot read
    # Answers also record the filter of their question.
    4: ("ALTER TABLE exchanges ADD COLUMN earlier TEXT NOT NULL DEFAULT '[]';",),
    5: (),  # same tables, but sentences may be 'not checked', which format 4 cannot read
    6: (),  # same tables, but filters may name periods, which format 5 cannot read
}
