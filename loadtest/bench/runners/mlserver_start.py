"""mlserver_start.py PORT FOLDER: write MLServer's settings and become it."""

import json
import os
import sys
from pathlib import Path


def main(port: str, folder: str) -> None:
    """Never returns."""
    place = Path(folder)
    place.mkdir(parents=True)
    server = {
        "host": "127.0.0.1",
        "http_port": int(port),
        "grpc_port": int(port) + 1,
        "metrics_port": int(port) + 2,
        "parallel_workers": 0,
        "debug": False,
    }
    model = {
        "name": "m",
        "implementation": "mlserver_runtime.Runtime",
        "max_batch_size": int(os.environ["MAX_BATCH_ROWS"]),
        "max_batch_time": int(os.environ["BATCH_WAIT_MS"]) / 1e3,
        "parameters": {"version": "1"},
    }
    (place / "settings.json").write_text(json.dumps(server))
    (place / "model-settings.json").write_text(json.dumps(model))
    program = str(Path(sys.executable).with_name("mlserver"))
    os.execv(program, [program, "start", folder])


if __name__ == "__main__":
    main(*sys.argv[1:])
