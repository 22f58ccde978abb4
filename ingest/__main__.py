"""Runs the batch command: `python -m ingest PATH...`."""

from ingest.cli import main

if __name__ == "__main__":
    main()
