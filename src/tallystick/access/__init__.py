"""Who may send and who may read: sources and their tokens.

Every change is first an event of source 0; the tables follow. Secrets never enter the log: a token's hash lies in
`secrets.db` and counts only when the log holds the digest of that very record.
"""
