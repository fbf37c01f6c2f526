"""The pure core: decisions without I/O, clock or asyncio. Time and ids come in as arguments."""
