"""The axis under fire: start a private one, drive it with traffic, break it, heal it, and account from the outside."""
