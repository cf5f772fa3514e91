"""What the contract tester is told besides its configuration, and the count of its requests."""

import atexit
import collections
import json
import os
import threading
import uuid

import schemathesis

OWN_ID = os.environ["FLYBALL_CONTRACT_OWN_ID"]
COUNTS = os.environ["FLYBALL_CONTRACT_COUNTS"]
KEY = "Idempotency-Key"

statuses = collections.Counter()
lock = threading.Lock()


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


@schemathesis.hook
def after_call(context, case, response):
    with lock:
        statuses[response.status_code] += 1


@atexit.register
def write_counts():
    with open(COUNTS, "w") as file:
        json.dump({str(status): count for status, count in sorted(statuses.items())}, file)
