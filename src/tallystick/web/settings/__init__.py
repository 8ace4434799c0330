"""The page of settings: what acts, who set it, and changing it."""
