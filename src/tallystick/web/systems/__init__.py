"""The pages of systems: the register with its state, one system, its declaration, its published runbook."""
