"""Coming in and one's own account: sign-in, setup, invitations, confirmation, password, second factor, devices."""
