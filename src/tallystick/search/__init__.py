"""Searching and reading the log: the same rows for API, command line and export.

One `Search` is compiled with its caller's scopes and rights into one tree (`plan`), bounded part by part by columns,
summaries and filters (`select`), judged by content where those cannot tell (`scan`), and taken as pages, facets,
histograms and exports. Columns only select: what is shown is rendered from facts and personal (`render`). Every
reading is on record before its first byte leaves (`recorder`).
"""
