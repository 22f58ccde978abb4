"""Runs loaders in sandboxed processes with limits on time, memory and output."""
