"""What somebody would try with systems: to read a foreign scope by a system that reaches into it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.govern_home import SCOPE, govern_home

from tallystick.govern.systems.errors import SystemUnknownError


def test_a_system_of_several_scopes_tells_nothing_to_who_reads_one_of_them(tmp_path: Path) -> None:
    with govern_home(tmp_path) as home:
        lea, register, coverage = home.caller(home.lea), home.room.register, home.room.coverage
        register.change(lea, home.system, {"scopes": (SCOPE, "acme/vault")})
        home.came("vault.opened", scope="acme/vault", source="vault")
        one = home.caller(home.people.join("una", ("compliance-manager", SCOPE)))
        both = home.caller(home.people.join("bea", ("compliance-manager", SCOPE), ("compliance-manager", "acme/vault")))
        assert "vault" in str(coverage.get(both, home.system).gaps)
        for look in (register.get, coverage.get):
            with pytest.raises(SystemUnknownError):
                look(one, home.system)
        assert (register.list(one), coverage.listed(one)) == ([], [])
