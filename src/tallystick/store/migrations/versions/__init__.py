"""The revisions in order, each a file that begins with its number; `tools/write_migration.py` writes them."""
