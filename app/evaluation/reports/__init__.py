"""Reports of an evaluation as Markdown, HTML and terminal output."""
