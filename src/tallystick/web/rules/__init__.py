"""The pages of detection rules and of lists of indicators."""
