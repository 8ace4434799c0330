"""The page of one event: what happened, what changed, its bytes, and its proof."""
