"""Pages of senders and tokens: register, watch, rotate, and the command that sends the first event."""
