"""Systems, what their owners declared critical in them, and whether it arrives.

A declaration is proposed by who answers for the system, approved by somebody else, and readable for all. Coverage is a
pure function of the systems and declarations in force at a place in the log and of what had arrived there, so that it
can be worked out again for any past place.
"""
