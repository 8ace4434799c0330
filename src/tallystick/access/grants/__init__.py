"""Roles, grants and decisions: who may do what, where, until when, and who said so.

A grant is a decision: asked for by one person, approved by another who could decide in that scope at that place in the
log, and bound to the permissions that were asked for. What somebody may do is computed from the grants in force, so
that nothing has to run for one to end. Breaking the glass gives access at once, for at most an hour, and shouts.
"""
