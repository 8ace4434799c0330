"""What lies on disk besides the ledger: durable files, tables, secrets, the query engine, backups."""
