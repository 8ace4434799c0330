"""What somebody must handle, and who is told of it.

`book` keeps the alerts: each alarm of any room opens one or is counted into one, and every step of its life until the
verdict is one event of the log.
"""
