"""Doors for other frameworks, one a file or folder: import the one you use."""
