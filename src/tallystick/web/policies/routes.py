"""The pages of security policies."""

from __future__ import annotations

from typing import Final

from tallystick.web.policies.editor import (
    decide_policy_proposal,
    edit_policies_from_page,
    policy_editor_page,
    policy_proposal_page,
)
from tallystick.web.policies.project import (
    change_policy_settings,
    policy_history_page,
    policy_project_page,
    policy_settings_page,
    step_policy_project,
)
from tallystick.web.policies.projects import (
    governed_scope_page,
    policy_projects_page,
    register_project_from_page,
    register_project_page,
)

POLICY_PAGES: Final = (
    policy_projects_page,
    register_project_page,
    register_project_from_page,
    governed_scope_page,
    policy_project_page,
    policy_history_page,
    policy_settings_page,
    change_policy_settings,
    step_policy_project,
    policy_editor_page,
    edit_policies_from_page,
    policy_proposal_page,
    decide_policy_proposal,
)
