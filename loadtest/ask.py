"""python -m loadtest.ask URL: wait until the service is ready, then ask every model its card's own example."""

import argparse
import json
import sys
import time

import requests

PATIENCE = 120.0
"""Seconds until it is ready, and for every answer."""


def main(url: str) -> int:
    """0 if every model answered its example with every output."""
    wait_until_ready(url)
    for model in requests.get(f"{url}/models", timeout=PATIENCE).json():
        details = requests.get(f"{url}/models/{model['name']}", timeout=PATIENCE).json()
        response = requests.post(f"{url}{model['predict']}", json=details["example"], timeout=PATIENCE)
        print(f"{model['name']}: {response.status_code} {response.text[:300]}")
        if response.status_code != 200 or set(response.json()) != set(details["signature"]["outputs"]):
            print(f"asked: {json.dumps(details['example'])}", file=sys.stderr)
            return 1
    return 0


def wait_until_ready(url: str) -> None:
    """Return once /readyz says so; SystemExit with its reasons if it does not in time."""
    until, last = time.monotonic() + PATIENCE, "no answer"
    while time.monotonic() < until:
        try:
            response = requests.get(f"{url}/readyz", timeout=5)
        except (requests.ConnectionError, requests.Timeout) as error:
            last = str(error)
        else:
            if response.ok:
                return
            last = response.text
        time.sleep(0.05)
    sys.exit(f"{url} is not ready: {last}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="of the service, such as http://127.0.0.1:8000")
    sys.exit(main(parser.parse_args().url))
