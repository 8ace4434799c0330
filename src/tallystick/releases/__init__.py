"""Releases: what was given out, by whom, when and from where, with milestones, assets and evidence.

The register is a projection of the release events of source 0. Who holds `releases.read` in the scope of a release sees
it; who holds `releases.manage` changes it; to everybody else it is not there. A deleted release keeps its events and its
evidence. Files lie once each in a folder under their SHA-256 and are checked whenever they are handed out.
"""

from tallystick.releases.room import Releases, open_releases

__all__ = ["Releases", "open_releases"]
