"""What readers set up and get back to: saved views, and exports that are made in the background.

Both are projections of events. What was asked is personal and can be erased; that somebody saved, shared, exported,
fetched or deleted something, and where, stays. Exports are made by one worker, one at a time, and survive a crash: what
is not finished is begun again.
"""
