"""Cloud audit events and rules for them, made up of parts by chance; both the same for the same chance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

VERBS: Final = ("Create", "Delete", "Update", "Put", "Get", "List", "Describe", "Attach", "Detach", "Modify")
THINGS: Final = {
    "iam": ("User", "Role", "Policy", "AccessKey", "LoginProfile", "Group", "InstanceProfile", "SAMLProvider"),
    "ec2": ("Instance", "SecurityGroup", "Snapshot", "Volume", "RouteTable", "NetworkAcl", "Image", "KeyPair"),
    "s3": ("Bucket", "BucketPolicy", "BucketAcl", "Object", "BucketLogging", "BucketEncryption"),
    "kms": ("Key", "Alias", "Grant", "KeyPolicy"),
    "cloudtrail": ("Trail", "EventSelectors", "EventDataStore"),
    "lambda": ("Function", "FunctionCode", "LayerVersion", "EventSourceMapping"),
    "sts": ("CallerIdentity", "SessionToken", "FederationToken"),
    "rds": ("DBInstance", "DBSnapshot", "DBCluster"),
}
ACTIONS: Final = tuple(
    (service, verb + thing) for service, things in THINGS.items() for thing in things for verb in VERBS
)
HARMLESS: Final = tuple((service, name) for service, name in ACTIONS if name.startswith(("Get", "List", "Describe")))
AGENTS: Final = (
    "aws-cli/2.15.30 Python/3.11.8 Linux/6.1",
    "Boto3/1.34 md/Botocore",
    "console.amazonaws.com",
    "terraform/1.7 APN/1.0",
)
REGIONS: Final = ("eu-central-1", "eu-west-1", "us-east-1", "us-west-2")
ERRORS: Final = ("AccessDenied", "Client.UnauthorizedOperation", "ThrottlingException", "NoSuchEntityException")


def made_events(chance: random.Random, count: int) -> Iterator[dict[str, Any]]:
    """Yield events: seven in ten read something, one in twenty fails."""
    for number in range(count):
        service, name = chance.choice(HARMLESS if chance.random() < 0.7 else ACTIONS)
        yield _event(chance, number, service, name)


def _event(chance: random.Random, number: int, service: str, name: str) -> dict[str, Any]:
    account = f"{chance.randrange(20):012}"
    user = f"user-{chance.randrange(400)}"
    region = chance.choice(REGIONS)
    event: dict[str, Any] = {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": chance.choice(("IAMUser", "AssumedRole", "AssumedRole", "AWSService")),
            "principalId": f"AROA{chance.randrange(10**9):016}:{user}",
            "arn": f"arn:aws:sts::{account}:assumed-role/team-{chance.randrange(30)}/{user}",
            "accountId": account,
            "accessKeyId": f"ASIA{chance.randrange(10**9):016}",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "userName": f"team-{chance.randrange(30)}", "accountId": account},
                "attributes": {
                    "creationDate": "2026-11-21T08:00:00Z",
                    "mfaAuthenticated": chance.choice(("true", "false")),
                },
            },
        },
        "eventTime": f"2026-11-21T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}",
        "userAgent": chance.choice(AGENTS),
        "requestParameters": {
            "name": f"resource-{chance.randrange(5_000)}",
            "tagSet": {
                "items": [
                    {"key": "team", "value": f"t-{chance.randrange(30)}"},
                    {"key": "stage", "value": "production"},
                ]
            },
            "filter": {"values": [f"vpc-{chance.randrange(10**6):08x}", f"subnet-{chance.randrange(10**6):08x}"]},
        },
        "responseElements": None
        if name.startswith(("Get", "List", "Describe"))
        else {"status": "ok", "requestId": f"{number:032x}"},
        "requestID": f"{chance.getrandbits(128):032x}",
        "eventID": f"{chance.getrandbits(128):032x}",
        "readOnly": name.startswith(("Get", "List", "Describe")),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "tlsDetails": {"tlsVersion": "TLSv1.3", "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com"},
    }
    if chance.random() < 0.05:
        event["errorCode"] = chance.choice(ERRORS)
        event["errorMessage"] = f"User: {event['userIdentity']['arn']} is not authorized to perform: {service}:{name}"
    return event


def cloud_rules(chance: random.Random, count: int) -> list[bytes]:
    """Return rules as written for cloud audit logs: an action or a few, mostly with their source, some with exclusions."""
    return [_text(number, "{product: aws, service: cloudtrail}", _cloud(chance, number)) for number in range(count)]


def mixed_rules(chance: random.Random, count: int) -> list[bytes]:
    """Return rules of every kind: half for these events, the others for systems whose events do not come here."""
    return [_text(number, *_mixed(chance, number)) for number in range(count)]


def _text(number: int, logsource: str, detection: str) -> bytes:
    return f"""title: Generated rule {number}
id: {number:08x}-0000-4000-8000-000000000000
status: test
description: A rule that was generated to be measured. It means nothing, and is about as long as rules are.
references:
  - https://docs.example.org/generated/{number}
author: Nobody
date: 2026-11-21
tags:
  - attack.persistence
  - attack.t1098
logsource: {logsource}
detection:
{detection}falsepositives:
  - Administrators at work
level: medium
""".encode()


def _cloud(chance: random.Random, number: int) -> str:
    service, names = _dangerous(chance, chance.choice((1, 1, 1, 2, 4)))
    lines = f"  selection:\n    eventSource: {service}.amazonaws.com\n    eventName:\n"
    lines += "".join(f"      - {name}\n" for name in names)
    match number % 5:
        case 0:
            lines += "    userIdentity.type: IAMUser\n"
        case 1:
            lines += "  filter_service:\n    userIdentity.type: AWSService\n"
            lines += f"  filter_team:\n    userIdentity.arn|contains: /team-{number % 30}/\n"
            return lines + "  condition: selection and not 1 of filter_*\n"
        case 2:
            lines += f"    errorCode: {chance.choice(ERRORS)}\n"
        case 3:
            lines += "  filter_ok:\n    errorCode|exists: true\n"
            return lines + "  condition: selection and not filter_ok\n"
        case _:
            lines += "    userAgent|contains:\n      - terraform\n      - Boto3\n"
    return lines + "  condition: selection\n"


def _dangerous(chance: random.Random, count: int) -> tuple[str, list[str]]:
    service = chance.choice(tuple(THINGS))
    names = [name for each, name in ACTIONS if each == service and (each, name) not in HARMLESS]
    return service, chance.sample(names, min(count, len(names)))


def _mixed(chance: random.Random, number: int) -> tuple[str, str]:
    here, word = "{product: aws, service: cloudtrail}", f"{chance.getrandbits(32):08x}"
    if number % 2:
        product = f"{{product: other-{number % 14}, service: audit}}"
        return product, f"  s:\n    action|contains: {word}\n    actor: root\n  condition: s\n"
    match number // 2 % 50:
        case 0:
            return here, f"  s:\n    userIdentity.arn|re: ':role/[a-z]+-{word}$'\n  condition: s\n"
        case 1:
            return here, f"  keywords:\n    - {word}\n    - evil-{number}\n  condition: keywords\n"
        case 2:
            return here, "  s:\n    sourceIPAddress|cidr: 10.0.0.0/8\n  condition: not s\n"
        case 3 | 4 | 5 | 6:
            lines = "".join(f"      - {word}-{each}\n" for each in range(4))
            return here, f"  s:\n    requestParameters.name|contains:\n{lines}  condition: s\n"
        case 7 | 8 | 9:
            return here, f"  s:\n    userAgent|startswith: tool-{word}\n    eventName|endswith: User\n  condition: s\n"
        case 10 | 11:
            return here, f"  s:\n    userIdentity.arn: 'arn:aws:*:role/{word}?'\n  condition: s\n"
        case 12:
            return here, f"  s:\n    responseElements.{word}: null\n    eventName: DeleteTrail\n  condition: s\n"
        case _:
            return here, _cloud(chance, number)
