"""mosec around a SavedModel; mosec reads its own flags."""

import os
from typing import Any

from mosec import Server, Worker
from saved_model import SavedModel


class Model(Worker):
    """Answers batches of rows, each with its number."""

    def __init__(self) -> None:
        super().__init__()
        self.model = SavedModel()

    def forward(self, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        outputs = self.model.rows([one["inputs"] for one in data])
        return [{"id": one["id"], "outputs": output} for one, output in zip(data, outputs, strict=True)]


if __name__ == "__main__":
    server = Server()
    server.append_worker(
        Model,
        num=1,
        max_batch_size=int(os.environ["MAX_BATCH_ROWS"]),
        max_wait_time=int(os.environ["BATCH_WAIT_MS"]),
        timeout=30,
    )
    server.run()
