"""Reviews on pages."""
