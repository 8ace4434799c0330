"""What an event is: its model, its canonical bytes, what commits to them, and the door it enters through.

Everything here is pure: bytes and values in, bytes and values out; time and randomness come in from outside.
Modules are imported by name. This file imports nothing, because an auditor who verifies one proof needs
only `canonical`, `commitment`, `entry` and `disclosure`, and those need only the standard library.
"""
