"""Locust users, one class per model, who ask as clients do: mostly text, some ids, one row or several.

make load                        50 users for 30 seconds against 127.0.0.1:8000, report in loadtest/report.html
locust -f loadtest/locustfile.py QaUser        one kind of user, with Locust's own page
"""

import random
from typing import Any

from locust import FastHttpUser, between, task

from loadtest import rows


class ModelUser(FastHttpUser):
    """Asks one model; every answer must hold every output."""

    abstract = True
    model = ""
    wait_time = between(0.0, 0.05)

    def on_start(self) -> None:
        """Learn from the service what its model takes and gives."""
        self.rng = random.Random()
        self.details = self.client.get(f"/models/{self.model}", name="/models/<model>").json()

    @task(6)
    def one_text(self) -> None:
        """One row of raw text."""
        self.ask(rows.row(self.details, self.rng, ids=False), "text")

    @task(3)
    def one_row_of_ids(self) -> None:
        """One row of token ids."""
        self.ask(rows.row(self.details, self.rng, ids=True), "ids")

    @task(1)
    def several_texts(self) -> None:
        """A list of rows of unequal length."""
        self.ask([rows.row(self.details, self.rng, ids=False) for _ in range(self.rng.randint(2, 8))], "list")

    def ask(self, body: Any, what: str) -> None:
        """POST a body; a failure is an answer that lacks an output."""
        name = f"/predict/{self.model} ({what})"
        with self.client.post(f"/predict/{self.model}", json=body, name=name, catch_response=True) as response:
            if response.status_code != 200:
                response.failure(f"{response.status_code}: {response.text}")
                return
            answers = response.json() if isinstance(body, list) else [response.json()]
            if len(answers) != (len(body) if isinstance(body, list) else 1):
                response.failure("as many answers as rows were expected")
            elif any(answer.keys() != self.details["signature"]["outputs"].keys() for answer in answers):
                response.failure("an output is missing")


class SimilarityUser(ModelUser):
    """Compares sentences."""

    model = "similarity"


class QaUser(ModelUser):
    """Asks about stories."""

    model = "qa"


class ProfileUser(ModelUser):
    """Sends posts."""

    model = "profile"


class ZooUser(ModelUser):
    """Asks one of all the models that are served, a user one model."""

    def on_start(self) -> None:
        """Draw a model."""
        served = self.client.get("/models", name="/models").json()
        self.model = random.choice(served)["name"]
        super().on_start()
