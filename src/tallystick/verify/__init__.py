"""The verifier: what can be said about a log from its bytes alone, by somebody who trusts nobody.

It imports nothing of the server. `proof` needs the standard library and `cryptography`, `package` and `url` nothing
beyond the base install (httpx only when a URL is read), `directory` pyarrow. It fails closed: what is missing is a
finding, and what only outsiders could have noticed is never called more than *self-consistent*. Modules are imported by
name, so that whoever checks one proof loads nothing else.
"""
