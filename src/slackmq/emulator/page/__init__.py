"""The page at /: the workspace as people see it, drawn on this side and kept up to date by server-sent events."""
