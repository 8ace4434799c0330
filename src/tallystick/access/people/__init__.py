"""People: who they are, how they prove it, and how long that is believed.

A person is an opaque id in the facts; handle, name and e-mail are personal. Passwords, seeds, codes, links and cookies
lie in `secrets.db` and count only while the log holds the digest of that very record. Whoever signs in learns from a
refusal neither whether the account exists nor which part was wrong, and nobody can lock anybody else out.
"""
