"""Witnesses: those who keep the last checkpoint they saw of a log and refuse any that does not continue it.

`rules` decides, over bytes alone; `record` keeps what was decided so that no crash forgets it; `server` answers over
HTTP as c2sp.org/tlog-witness says; `client` is the log's side. Modules are imported by name, so that whoever runs a
witness does not load the client, nor the other way round.
"""

from __future__ import annotations
