"""Watches the log by rules: a register of rules with their life, and an engine that follows the log and raises alarms.

The register (`service`, `importing`, `backtest`, ...) says which rules are in force; the engine (`engine`, `detector`,
`native/`, `logsources`) runs them. `replay` runs rules over given events with the very same evaluation, for the samples
of a rule and for backtests.

What rules can match:

* `product: tallystick` is every event, whoever sent it, with the field names of the event (`action`, `actor.id`,
  `targets.type`, `changes.field`, `context.ip`, `metadata.*`, `raw.*`) and two more: `source`, the sender's name, and
  `source_kind`, which is `product` for what the program records itself. `category` is that of the action in the
  catalogue, `service` the kind of the source. Any other logsource is a vendor's event in `raw`: see `logsources.yaml`.
* What the program records about its own watch: `segment.quarantined`, `ledger.adopted`, `ledger.recovered`,
  `projection.skipped`, `backup.restored`, `key.rotated`, `witness.fell_behind` (no newer state witnessed for an hour),
  `server.started`, `setting.changed`, `stream.*`, `rule.*`, `indicator_list.*`, `source.*`, `token.*`, `access.*`,
  `events.*` and `event.viewed` for who reads the log. `alert.*` and `detection.*` of the program are never matched.
* What no event shows raises its alarm directly: `detection.rule_failed`, `detection.rule_slow`, `detection.behind`,
  `detection.blocked`, `detection.event_failed`, `detection.groups_dropped`, and `detection.clock_ahead` for a sender whose
  events claim a time that is still to come.
"""
