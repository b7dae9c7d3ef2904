"""This machine's clock, held against the Date of an HTTPS answer: of the Helm repository that the chart comes from."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from slipway.doctor.check import Check, Failed, Skipped, Warned
from slipway.doctor.scene import ANSWER_SECONDS, Scene, refusal
from values.facts import HARBOR_CHART_REPOSITORY

#: AWS refuses a signature that is more than five minutes off; below, certificates and tokens begin to go wrong.
REFUSED, NOTICED = timedelta(minutes=5), timedelta(seconds=30)
#: What OpenSSL says of a certificate out of its time.
_OUT_OF_TIME = (9, 10)
_NETWORK = "look at the network and at HTTPS_PROXY; without an answer, compare with `date -u` elsewhere"


def clock(scene: Scene) -> str:
    """Ask once, and leave room for the time that the answer took."""
    import httpx2  # noqa: PLC0415  # 150 ms

    url = scene.settings.chart_repository if scene.environment else HARBOR_CHART_REPOSITORY
    if not url.startswith("https://"):
        raise Skipped(f"{url} is no HTTPS address, whose time could be believed")
    begun = datetime.now(UTC)
    try:
        with httpx2.Client(verify=scene.trust(), timeout=ANSWER_SECONDS) as client:
            answer = client.head(url)
    except httpx2.HTTPError as error:
        refused = refusal(error)
        if refused and refused.verify_code in _OUT_OF_TIME:
            what = f"it is {begun:%Y-%m-%d %H:%M} here, which is outside the time of {url}'s certificate"
            raise Failed(what) from error
        raise Warned(f"{url} gives no answer to compare with: {error or type(error).__name__}", _NETWORK) from error
    ended = datetime.now(UTC)
    try:
        told = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        raise Skipped(f"{url} answers without a date") from None
    # The answer was made somewhere between, and its date is cut to the second.
    early, late = told - ended, told + timedelta(seconds=1) - begun
    off = early if early > timedelta() else late if late < timedelta() else timedelta()
    shown = f"{abs(off).total_seconds():.0f} s {'behind' if off > timedelta() else 'ahead of'} {url}"
    if abs(off) > REFUSED:
        raise Failed(f"{shown}: AWS refuses such requests")
    if abs(off) > NOTICED:
        raise Warned(shown)
    return f"as {url} tells it"


CHECKS = (
    Check(
        id="machine.clock",
        shows="the clock is right within 30 seconds; AWS refuses five minutes",
        fix="set it by NTP: timedatectl set-ntp true",
        do=clock,
        environment=False,
        needs=("stack.settings",),
    ),
)
