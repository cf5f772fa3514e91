"""What the contract tester is told besides its configuration, and the count of its requests."""

import atexit
import base64
import collections
import json
import os
import threading
import uuid

import schemathesis

OWN_EMAIL = os.environ["FLYBALL_CONTRACT_OWN_EMAIL"]
OWN_ID = os.environ["FLYBALL_CONTRACT_OWN_ID"]
COUNTS = os.environ["FLYBALL_CONTRACT_COUNTS"]
SPARE_TOKEN = os.environ["FLYBALL_CONTRACT_SPARE_TOKEN"]
KEY = "Idempotency-Key"
# What wants the account's password once more: five wrong ones lock the account.
LOCKING = ("/auth/password", "/auth/mfa/recovery-codes", "/auth/mfa/totp")

statuses = collections.Counter()
# Answers of 503 where the document says when they come.
away = 0
lock = threading.Lock()


def is_own(authorization):
    """Is it a token of the tested account? What was made up is sent as it is and has to be refused."""
    try:
        claims = str(authorization).split(".")[1]
        return OWN_ID in base64.urlsafe_b64decode(claims + "==").decode()
    except (IndexError, ValueError):
        return False


@schemathesis.hook
def before_call(context, case, kwargs):
    # A key that was used for another request is a 422, as documented, whatever the request says.
    # What is no key at all is sent as it is: it has to be refused.
    key = (case.headers or {}).get(KEY)
    if isinstance(key, str) and 1 <= len(key.strip()) <= 255:
        case.headers[KEY] = uuid.uuid4().hex
    # Who changes or deletes the account that is tested with can't sign in any more.
    parameters = case.path_parameters or {}
    if case.method not in ("GET", "HEAD"):
        for name, value in parameters.items():
            if value == OWN_ID:
                parameters[name] = str(uuid.uuid4())
    # Nor who is locked out: wrong passwords and codes are for others.
    if case.path.endswith(LOCKING) and is_own((case.headers or {}).get("Authorization")):
        case.headers["Authorization"] = f"Bearer {SPARE_TOKEN}"
    if "/auth/" in case.path and isinstance(case.body, dict):
        for name in ("email", "username"):
            if case.body.get(name) == OWN_EMAIL:
                case.body[name] = "nobody@flyball.localhost"


@schemathesis.hook
def after_call(context, case, response):
    global away
    documented = "503" in case.operation.definition.raw["responses"]
    with lock:
        statuses[response.status_code] += 1
        if response.status_code == 503 and documented:
            away += 1


@atexit.register
def write_counts():
    with open(COUNTS, "w") as file:
        json.dump({"statuses": statuses, "away": away}, file)
