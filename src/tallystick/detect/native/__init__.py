"""Kinds of detection that Sigma cannot say: what is new, what is missing, what is more or less than usual, and when.

A rule of such a kind is a Sigma rule, whose detection says which events it looks at, with the block `tallystick`:

    tallystick:
      kind: first_seen        # something not seen before
      group_by: [actor.id]    # for whom; [] is for the whole organisation
      value: [context.country]  # what is new; a list means the combination
      history: 30d            # how long something is remembered
      warm_up: 7d             # nothing is new while a group is known for less than that

      kind: silence           # events stop coming
      group_by: [source]
      expect: 1h              # the longest silence that is expected; without it what the register of sources says,
                              # and else what was learned: twice the longest that began at such an hour of the week

      kind: burst             # more in an hour than in the same hour of past weeks
      group_by: [actor.id]
      at_least: 20            # fewer are never a burst
      deviations: 6           # above the median, in deviations (1.4826 times the median absolute deviation)
      weeks: 8                # how many weeks are looked back upon; three have to be there

      kind: drop              # less in an hour than in the same hour of past weeks
      group_by: [source]
      at_least: 20            # hours in which fewer are usual are not looked at
      below: 50               # percent of the median
      weeks: 8

      kind: off_hours         # activity at an hour of the week at which there is nearly none
      group_by: [actor.id]
      share: 1                # percent of the activity that falls into that hour and the two beside it, at most
      at_least: 50            # events that have to be known
      history: 14d            # how long a group has to be known

`lateness` (default 15m, at most 7d) is how far from its receipt an event's own time is believed; it may stand in rules
of every kind, those of kind `sigma` and correlations included. `group_by` of a plain Sigma rule says which matches are
one alert; without it, those of one actor. Hours are of UTC. Every state is bounded, and what is dropped is counted.
"""

from tallystick.detect.native.grammar import Settings, read_settings
from tallystick.detect.native.kinds import make_kind
from tallystick.detect.native.model import Found, Kind, Known, Seen

__all__ = ["Found", "Kind", "Known", "Seen", "Settings", "make_kind", "read_settings"]
