"""How the picture looks: colours, signs, sizes and how wide a text is. All lengths are in units of the viewBox."""

from typing import NamedTuple

FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
INK, MUTED, PAPER = "#0f172a", "#475569", "#ffffff"

#: The families of AWS's own diagrams, darkened until white text on them has a contrast of 4.5.
_NETWORK, _COMPUTE, _DATA, _STORAGE, _SECURITY, _OPERATIONS, _WORLD = (
    "#6d28d9",
    "#b45309",
    "#1d4ed8",
    "#3f7a14",
    "#b91c1c",
    "#a21a5b",
    "#334155",
)


class Sign(NamedTuple):
    """The tile at a box's left: a few letters on the colour of the family."""

    letters: str
    colour: str


SIGNS: dict[str, Sign] = {
    "clients": Sign("USR", _WORLD),
    "operators": Sign("OPS", _WORLD),
    "internet": Sign("NET", _WORLD),
    "dns": Sign("R53", _NETWORK),
    "load-balancer": Sign("ALB", _NETWORK),
    "nat": Sign("NAT", _NETWORK),
    "endpoint": Sign("EP", _NETWORK),
    "interface": Sign("ENI", _NETWORK),
    "nodes": Sign("EC2", _COMPUTE),
    "cluster": Sign("EKS", _COMPUTE),
    "database": Sign("RDS", _DATA),
    "cache": Sign("KV", _DATA),
    "file-system": Sign("EFS", _STORAGE),
    "bucket": Sign("S3", _STORAGE),
    "backup": Sign("BAK", _STORAGE),
    "secrets": Sign("SM", _SECURITY),
    "keys": Sign("KMS", _SECURITY),
    "watch": Sign("CW", _OPERATIONS),
}
#: kind of flow → colour
FLOWS: dict[str, str] = {"request": "#1e40af", "egress": "#64748b", "mount": "#3f7a14"}
FLOW_WORDS: dict[str, str] = {
    "request": "calls, on the ports that rules admit",
    "egress": "way out, by the routes",
    "mount": "interfaces of a service in the zones",
}


class Frame(NamedTuple):
    """A dashed frame."""

    colour: str
    dashes: str


FRAMES: dict[str, Frame] = {
    "security-group": Frame("#5b4e80", "3 3"),
    "open": Frame("#b91c1c", "3 3"),
    "controller": Frame(_NETWORK, "5 3"),
}
FRAME_WORDS: dict[str, str] = {
    "security-group": "security group",
    "controller": "made by a controller in the cluster",
}


class Surface(NamedTuple):
    """What encloses."""

    fill: str
    border: str


#: Frames of the page, and the subnets of each tier by its id.
SURFACES: dict[str, Surface] = {
    "region": Surface("#f8fafc", "#94a3b8"),
    "vpc": Surface(PAPER, _NETWORK),
    "gateway": Surface("#ede9fe", _NETWORK),
    "zone": Surface("#f1f5f9", "#f1f5f9"),
    "public": Surface("#ecfdf5", "#6ee7b7"),
    "private": Surface("#eff6ff", "#93c5fd"),
    "control-plane": Surface("#fff7ed", "#fdba74"),
    "data": Surface("#f5f3ff", "#c4b5fd"),
}

HEADING_SIZE, TITLE_SIZE, DETAIL_SIZE, CAPTION_SIZE = 22, 12, 10.5, 9.5
#: Mean width of a character in ems, that of the widest fallback (DejaVu Sans): what fits here fits everywhere.
_REGULAR, _BOLD = 0.6, 0.66


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate how wide a line of text is."""
    return len(text) * size * (_BOLD if bold else _REGULAR)


def fitted(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Give the text, or as much of it as `width` holds with an ellipsis."""
    room = int(width / (size * (_BOLD if bold else _REGULAR)))
    return text if len(text) <= room else text[: max(room - 1, 0)].rstrip(" ,·") + "…"
