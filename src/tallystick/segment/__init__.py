"""Segments: the content of sealed events, where it lasts until its retention ends.

A segment holds the events of one class in a range of indexes: `content.parquet` is the truth, `columns.parquet` and
`summary` are derived from it and can be made again. The ledger writes segments, searches read them and `verify`
derives them again with this same code, so nothing here knows the server; what must last goes through the disk that
the caller gives. Modules are imported by name, because most readers need one of them and pyarrow is slow to load.
"""
