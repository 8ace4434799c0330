"""The template engine: everything is escaped and made visible, and a name that is not there is an error."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.environment import TemplateModule
from markupsafe import Markup

from tallystick.durations import format_age
from tallystick.web import present
from tallystick.web.areas import by_area
from tallystick.web.static_files import static_url


@cache
def templates() -> Environment:
    """Return the environment of all templates of the package."""
    environment = Environment(
        loader=PackageLoader("tallystick.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        finalize=present.finish,
        auto_reload=False,
    )
    environment.filters.update(
        number=present.number,
        percent=present.percent,
        age=format_age,
        offset=present.offset,
        size=present.size,
        instant=present.instant,
        clock=present.clock,
        day=present.day,
        shown=present.shown,
        exact=present.exact,
        lines=present.lines,
        indented=present.indented,
        by_area=by_area,
    )
    environment.globals["static"] = static_url
    return environment


def render_template(name: str, **values: Any) -> str:
    """Return one template with its values in place."""
    return templates().get_template(name).render(**values)


def render_macro(name: str, macro: str, *values: Any) -> Markup:
    """Return what one macro of a template makes of its values."""
    made: Markup = getattr(_module(name), macro)(*values)
    return made


@cache
def _module(name: str) -> TemplateModule:
    return templates().get_template(name).module
