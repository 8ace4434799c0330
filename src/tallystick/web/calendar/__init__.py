"""What falls due when, on a page and as a calendar file."""
