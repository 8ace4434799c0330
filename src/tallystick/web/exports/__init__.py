"""The page of exports: what was asked for, how far it is, fetching it; and the page that says who read an event."""
