"""The demo: a story played through the real broker, and the account of what became of every document."""
