"""The pages of detection rules."""

from __future__ import annotations

from typing import Final

from tallystick.web.rules.editor import change_rule_page, edit_rule_page, new_rule_page, write_rule_page
from tallystick.web.rules.lists import (
    change_list_page,
    create_list_page,
    delete_list_page,
    indicator_list_page,
    indicator_lists_page,
)
from tallystick.web.rules.pages import rules_health_page, rules_page
from tallystick.web.rules.rule import rule_page, rule_versions_page, step_rule_page
from tallystick.web.rules.trying import rule_backtest_page, rule_explain_page

RULE_PAGES: Final = (
    rules_page,
    rules_health_page,
    indicator_lists_page,
    create_list_page,
    indicator_list_page,
    change_list_page,
    delete_list_page,
    new_rule_page,
    write_rule_page,
    rule_page,
    rule_versions_page,
    edit_rule_page,
    change_rule_page,
    rule_backtest_page,
    rule_explain_page,
    step_rule_page,
)
