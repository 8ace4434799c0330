"""Evidence: what an auditor takes away, to be checked where nobody of ours is."""
