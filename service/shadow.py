"""A second version that is asked what the first was asked, and only compared: its answers go to the metrics."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.handle import ModelHandle


class Shadow:
    """Of one served version: the version that is asked as well, if there is one."""

    target: "ModelHandle | None" = None
    """Set and cleared by the catalog; requests read it once."""
