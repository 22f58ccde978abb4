"""Reports of an evaluation: Markdown, HTML and the terminal."""
