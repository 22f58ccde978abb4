"""Parts that the page is built from."""
