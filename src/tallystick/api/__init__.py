"""The HTTP API: routes that call the services, and nothing that a service should know.

Every route but health, checkpoints and hash tiles demands a token. Errors are problems (RFC 9457) with the code, the
place and the advice of the product's own errors.
"""
