"""The pages of exceptions: the register, one of them with its life, and asking."""
