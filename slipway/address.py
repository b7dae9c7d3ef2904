"""An address that a person or a server gave, taken apart if it is one.

parts_of("https://registry.example.com:8443").port      # 8443; None for "https://[", "https://a..b", "https://a:99999"
"""

from urllib.parse import SplitResult, urlsplit


def parts_of(text: str) -> SplitResult | None:
    """Give the parts of an http or https address with a host; `urlsplit` takes nearly anything, or raises late."""
    if not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        # Both are looked at only when they are asked for; DNS takes no empty label and none over 63 characters.
        _, host = parts.port, (parts.hostname or "").encode("idna")
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and host else None
