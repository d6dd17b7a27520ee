"""What the process counts that pulls from a store at a URL."""

from service.metrics import families


def count_pulled(model: str, size: int) -> None:
    """One version, of so many bytes."""
    families.PULLED_VERSIONS.labels(model).inc()
    families.PULLED_BYTES.labels(model).inc(size)


def count_not_pulled(model: str, version: int, reason: str) -> None:
    """One version that could not be pulled."""
    families.NOT_PULLED.labels(model, str(version), reason).inc()


def tell_storage(store: str, up: bool, last: float, size: int) -> None:
    """Whether a look reached a store, when one last did in seconds since 1970, and the bytes of its cache now."""
    families.STORAGE_UP.labels(store).set(up)
    families.STORAGE_SUCCESS.labels(store).set(last)
    families.STORAGE_CACHE.labels(store).set(size)
