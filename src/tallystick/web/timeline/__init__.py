"""Timelines: everything about one actor, one target or one request, in the order in which it happened."""
