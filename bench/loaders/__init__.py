"""What is read of real files."""
