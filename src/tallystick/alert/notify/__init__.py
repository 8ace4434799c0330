"""Who is told of an alert, when, and by which way; and the evidence that they were.

`routing` is what an organisation decides (a tree with the words of Alertmanager), `dispatch` what follows from it at a
moment, both pure. The notifier follows the tables of alerts from a place of its own (`outbox`, a file that no rebuild
touches) and sends at least once; a repeat carries the same key.
"""
