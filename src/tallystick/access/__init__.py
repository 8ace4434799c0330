"""Who may do what: permissions, roles, people, grants, senders and tokens.

Every change is first an event of source 0; the tables follow. Secrets never enter the log: what is kept of them lies in
`secrets.db` and counts only when the log holds the digest of that very record.
"""
