"""Benchmarks: each module states one question, answers it with JSON, and prints the machine's yardstick beside it.

Run one with `python -m bench.ingest`, all with `python -m bench`; `docs/performance.md` is made from the answers.
Nothing here is a test: figures depend on the machine, and a slow one must not fail a build.
"""
