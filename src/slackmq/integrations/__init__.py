"""Doors for other frameworks: import the one you use, and nothing else is loaded."""
