"""Taking in what others recorded: files are read record by record, mapped by data, and sent on in batches.

A vendor map is YAML, not code (`maps/`, described in `docs/guide/mappings.md`). Readers, maps and ids are
deterministic, so that an import may stop anywhere and be repeated without harm. Where the events go is behind
`sink.Sink`; this package opens no ledger and no connection. Modules are imported by name, because reading maps
needs PyYAML and most commands do not.
"""
