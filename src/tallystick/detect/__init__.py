"""Watches the log by rules: a register of rules with their life, and an engine that follows the log and raises alarms.

The register (`register*`, `import*`, `backtest*`) says which rules are in force; the engine (`engine`, `native/`,
`logsources`) runs them. `replay` runs rules over given events with the very same evaluation, for the samples of a rule
and for backtests.
"""
