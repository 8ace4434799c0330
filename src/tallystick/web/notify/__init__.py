"""Pages of notifications: whom alerts go to, what is silenced, and what became of every notification."""
