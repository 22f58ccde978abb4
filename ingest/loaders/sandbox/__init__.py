"""Runs loaders in confined processes with limits on time, memory and output."""
