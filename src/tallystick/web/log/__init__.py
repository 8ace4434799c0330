"""The page of the log itself, and whether one size of it continues another."""
