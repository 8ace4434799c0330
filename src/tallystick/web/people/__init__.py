"""Pages of those who manage people."""
