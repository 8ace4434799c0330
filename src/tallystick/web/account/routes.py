"""The pages of coming in and of one's own account."""

from __future__ import annotations

from typing import Final

from tallystick.web.account import links, page, sign_in

ACCOUNT: Final = (
    sign_in.sign_in_page,
    sign_in.sign_in,
    sign_in.code_page,
    sign_in.sign_in_with_code,
    sign_in.go_to_provider,
    sign_in.back_from_provider,
    sign_in.sign_out,
    sign_in.confirm_page,
    sign_in.confirm,
    links.setup_page,
    links.set_up,
    links.invitation_page,
    links.accept,
    page.account_page,
    page.change_name,
    page.change_password,
    page.start_second_factor,
    page.confirm_second_factor,
    page.end_second_factor,
    page.new_codes,
    page.end_device,
)
