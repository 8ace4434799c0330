"""Pages of destinations: where events are streamed to, how each does, and whose GitLab sends here."""
