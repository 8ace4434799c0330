"""kill -9 of the server and of the receiver while alerts are told: each is told, and a repeat has the key of the first."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.installation import settings
from tests.server_process import serving
from tests.stream_world import LOOPBACK, receiving, wait_until

from tallystick.access.operator import OPERATOR
from tallystick.alert.notify.model import ReceiverSettings, Way
from tallystick.follow.alarm import Alarm
from tallystick.server import open_instance

SEED = 47
ROUNDS = 4
ALERTS = 12


def test_every_alert_is_told_though_server_and_receiver_are_killed_at_random(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    config = tmp_path / "tallystick.toml"
    config.write_text('[stream]\nnetworks = ["127.0.0.0/8"]\n')
    raised: set[str] = set()
    with receiving(tmp_path / "receiver") as receiver:
        for turn in range(ROUNDS):
            with open_instance(settings(tmp_path, stream_networks=LOOPBACK)) as instance:
                if not turn:
                    hook = ReceiverSettings(name="hook", way=Way.WEBHOOK, url=receiver.url())
                    instance.services.notify.receivers.set(OPERATOR, hook)
                    instance.services.notify.routes.set(OPERATOR, 'route: {receiver: hook, group_by: ["..."]}')
                titles = [f"alert {turn}.{number}" for number in range(ALERTS)]
                now = instance.ledger.status().now
                instance.services.alerts.book.raise_alarms(
                    [Alarm("killed", each, each, "acme", "critical", each, "", now) for each in titles]
                )
                raised.update(titles)
            with serving(tmp_path, "--config", config) as server:
                before, some = len(receiver.taken()), dice.randint(1, ALERTS - 2)
                wait_until(lambda before=before, some=some: len(receiver.taken()) >= before + some)  # type: ignore[misc]
                if turn % 2:
                    receiver.kill()
                    receiver.start()
                server.kill()

        def told() -> dict[str, set[str]]:
            keys: dict[str, set[str]] = {}
            for request in receiver.taken():
                body = json.loads(request["body"])["data"]
                assert request["headers"]["webhook-id"] == body["key"]
                for alert in body["alerts"]:
                    keys.setdefault(alert["title"], set()).add(body["key"])
            return keys

        with serving(tmp_path, "--config", config) as server:
            wait_until(lambda: raised <= told().keys())
            assert server.terminate() == 0
        keys = told()
        assert all(len(each) == 1 for each in keys.values()), "a repeat has the key of the first time"
        with open_instance(settings(tmp_path, stream_networks=LOOPBACK)) as instance:
            notify = instance.services.notify
            notify.notifier._settle_what_is_open()
            for courier in notify.notifier._couriers.values():
                courier.stop()
                courier.join(60)
            evidence = notify.evidence.list(OPERATOR)
            on_record = {each.key for each in evidence.settled if each.delivered}
            assert {key for each in keys.values() for key in each} == on_record | {
                each.key for each in evidence.waiting
            }
            assert evidence.dead == ()
