"""Texts of the console: key -> (Vietnamese, English), a module for each part of it."""
