"""How this service's processes log."""

import logging


def begin(level: str) -> None:
    """Log as gunicorn does, from this level on."""
    logging.basicConfig(
        level=level.upper(),
        format="[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S %z",
    )
