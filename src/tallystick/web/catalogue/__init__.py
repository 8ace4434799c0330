"""Pages of the catalogue: what each action means, and what came that it does not know."""
