"""A test of a destination: one request in the form that it takes, without an event of anybody in it."""

from __future__ import annotations

import uuid

import msgspec

from tallystick.event.occurred import time_of_us
from tallystick.stream.errors import AddressRefusedError, SendFailedError
from tallystick.stream.gitlab import number_of
from tallystick.stream.model import Destination, Format
from tallystick.stream.patience import Verdict, judge_status
from tallystick.stream.request import Endpoint, headers_of

KIND = "stream.test"


def probe(destination: Destination, endpoint: Endpoint, now_us: int) -> tuple[bool, int, str]:
    """Return whether a test was taken, the status of the answer (0 without one), and what was said."""
    version, made = destination.now, time_of_us(now_us)
    message_id = f"test-{uuid.uuid4()}"
    if version.format is Format.GITLAB:
        said = {"custom_message": "Test of the destination"}
        place = {"entity_id": number_of(version.scope or "/"), "entity_type": "Group", "entity_path": version.scope}
        body = {"id": message_id, "author_id": -4, **place, "details": said, "created_at": made, "event_type": KIND}
    else:
        body = {"type": KIND, "timestamp": made, "data": {"destination": destination.id}}
    content = msgspec.json.encode([body] if version.batch > 1 else body)
    try:
        headers = headers_of(version.format, message_id, content, endpoint, now_us, KIND.replace(".", "_"))
        answer = endpoint.sender.post(content, headers)
    except (SendFailedError, AddressRefusedError) as error:
        return False, 0, error.message
    finally:
        endpoint.sender.close()
    return judge_status(answer.status) is Verdict.DELIVERED, answer.status, endpoint.words_of(answer)
