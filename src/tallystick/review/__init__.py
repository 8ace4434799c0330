"""Duties that recur, and their reviews: opened by themselves, frozen, marked, signed, and never dated back.

A review holds a snapshot: for each section a query with its bounds, how many events it finds and their digest, all of it
one event in the log. Whoever may read the events can ask again and compare; nothing that is appended later changes the
answer. Samples are drawn by the first tree after the period's end, so that nobody can choose them.
"""

from tallystick.review.room import ReviewRoom, open_reviews

__all__ = ["ReviewRoom", "open_reviews"]
