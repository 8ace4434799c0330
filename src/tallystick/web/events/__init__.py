"""The events: searching, what was found, counts over time and by value, following live."""
