"""The pages of those who manage people."""

from __future__ import annotations

from typing import Final

from tallystick.web.people import page

PEOPLE: Final = (page.people_page, page.invite, page.person_page, page.change_person)
