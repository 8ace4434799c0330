"""Followers that keep tables: each reads source-0 events from a durable cursor and applies them in order.

A projection handler is a pure function of the event and the tables: no clock, no randomness, no I/O. The cursor moves in
the same transaction as the tables, so a crash anywhere repeats nothing and skips nothing. Tables can be thrown away and
replayed; the result is the same.
"""
