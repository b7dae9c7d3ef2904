"""Where Slipway keeps what it fetched or built: one rule for everybody."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where built programs and charts are kept: SLIPWAY_CACHE, or the user's cache folder."""
    import platformdirs  # noqa: PLC0415  # `pulumi up` needs none

    return Path(os.environ.get("SLIPWAY_CACHE") or platformdirs.user_cache_path("slipway"))
