"""Reads text documents, presentations and spreadsheets of office programs."""
