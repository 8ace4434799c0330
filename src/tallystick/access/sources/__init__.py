"""Registered senders and the tokens of services and people."""
