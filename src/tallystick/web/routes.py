"""Every page, room by room: one import line and one entry each."""

from __future__ import annotations

from typing import Final

from litestar import Router

from tallystick.web.account.routes import ACCOUNT
from tallystick.web.alerts.page import ALERT_PAGES
from tallystick.web.alerts.queue import QUEUE_PAGES
from tallystick.web.calendar.page import CALENDAR_PAGES
from tallystick.web.catalogue.page import CATALOGUE_PAGES
from tallystick.web.event.page import event_page, proof_file
from tallystick.web.events.live import live_stream
from tallystick.web.events.pages import events_page, overview_page, row_page
from tallystick.web.events.saved import delete_view, save_view
from tallystick.web.exceptions.pages import EXCEPTION_PAGES
from tallystick.web.exports.page import (
    cancel_export_page,
    delete_export_page,
    download_export,
    exports_page,
    start_export_page,
)
from tallystick.web.exports.readers import readers_page
from tallystick.web.forms import refuse_cross_site
from tallystick.web.grants.pages import GRANT_PAGES
from tallystick.web.grants.roles import ROLE_PAGES
from tallystick.web.health.page import health_page
from tallystick.web.home import home
from tallystick.web.log.page import consistency_file, log_page
from tallystick.web.notify.routes_page import ALERT_ROUTE_PAGES
from tallystick.web.notify.silences_page import SILENCE_PAGES
from tallystick.web.people.routes import PEOPLE
from tallystick.web.policies.routes import POLICY_PAGES
from tallystick.web.releases.edit import EDIT_PAGES
from tallystick.web.releases.pages import RELEASE_PAGES
from tallystick.web.retention.pages import RETENTION_PAGES
from tallystick.web.reviews.duties import DUTY_PAGES
from tallystick.web.reviews.pages import REVIEW_PAGES
from tallystick.web.rules.routes import RULE_PAGES
from tallystick.web.settings.page import change_setting, settings_page
from tallystick.web.sources.page import SOURCE_PAGES
from tallystick.web.sources.tokens import TOKEN_PAGES
from tallystick.web.static_files import static_file
from tallystick.web.streams.gitlab import GITLAB_PAGES
from tallystick.web.streams.page import STREAM_PAGES
from tallystick.web.systems.edit import SYSTEM_EDIT_PAGES
from tallystick.web.systems.pages import SYSTEM_PAGES
from tallystick.web.timeline.pages import actor_timeline, request_timeline, target_timeline

_ROOMS: Final = (
    home,
    static_file,
    events_page,
    overview_page,
    row_page,
    live_stream,
    save_view,
    delete_view,
    event_page,
    proof_file,
    exports_page,
    start_export_page,
    cancel_export_page,
    delete_export_page,
    download_export,
    readers_page,
    log_page,
    consistency_file,
    settings_page,
    change_setting,
    health_page,
    *CATALOGUE_PAGES,
    *SOURCE_PAGES,
    *TOKEN_PAGES,
    actor_timeline,
    target_timeline,
    request_timeline,
    *STREAM_PAGES,
    *GITLAB_PAGES,
    *ACCOUNT,
    *PEOPLE,
    *GRANT_PAGES,
    *ROLE_PAGES,
    *POLICY_PAGES,
    *RETENTION_PAGES,
    *RELEASE_PAGES,
    *RULE_PAGES,
    *EDIT_PAGES,
    *REVIEW_PAGES,
    *DUTY_PAGES,
    *CALENDAR_PAGES,
    *QUEUE_PAGES,
    *ALERT_PAGES,
    *ALERT_ROUTE_PAGES,
    *SILENCE_PAGES,
    *SYSTEM_EDIT_PAGES,
    *SYSTEM_PAGES,
    *EXCEPTION_PAGES,
)
#: For `create_site`. No page can forget where its forms may come from: the guard is on all of them.
PAGES: Final = (Router(path="/", route_handlers=_ROOMS, guards=[refuse_cross_site], include_in_schema=False),)
