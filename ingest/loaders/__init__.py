"""File -> Document: one module a family, one table of formats."""
