from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import tallystick.merkle, tallystick.note
foreign = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(*sorted(name for name in foreign if not name.startswith("_")))
"""


def test_tree_and_notes_load_nothing_but_the_standard_library_and_cryptography() -> None:
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{PROGRAM}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert set(loaded) <= {"cryptography", "tallystick", "cffi"}
