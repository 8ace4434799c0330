"""Exceptions: who may stay outside which rule, why, until when, and who agreed.

An exception is a decision: asked for by one person, approved by another, bound to the digest of what was asked for, and
always with an end. Whether one is in force is computed from its times and its events, so nothing has to run for one to
end. What is done under an exception is counted.
"""
