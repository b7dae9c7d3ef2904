"""Kits for tests: every kind of place, rights and registry that snippets are made for."""

from pydantic import SecretStr

from slipway.harbor.robots import Credential
from slipway.login_kit import hosts
from slipway.login_kit.kit import Cache, Kit
from slipway.login_kit.place import Place
from slipway.login_kit.render import Snippet, render

SECRET = Credential(
    username="robot$payments+ci-a", password=SecretStr("aB3$`\"'\\{=x=}"), registry="registry.example.com"
)
UUID = "a1b2c3d4-0000-4000-8000-00000000000"
AWS = Place(kind="aws", id="harbor/ha/robots/payments/ci", region="eu-central-1", key_alias="alias/harbor-ha-secrets")
FULL = Kit(
    url="https://registry.example.com",
    environment="ha",
    projects=("payments", "hub"),
    name="ci",
    push=True,
    place=AWS,
    caches=(
        Cache(name="hub", upstream="https://hub.docker.com"),
        Cache(name="own", upstream="https://reg.acme.eu:5000"),
    ),
    account="111122223333",
    github=hosts.github("acme/payments@release/1.x"),
    gitlab=hosts.gitlab("acme/payments", "git.acme.eu"),
    bitbucket=hosts.bitbucket(f"acme/{{{UUID}1}}/{{{UUID}2}}@main"),
    shown=SECRET,
)
PULL = Kit(
    url="https://registry.example.com:8443",
    projects=("team_a.b",),
    name="pull",
    push=False,
    place=Place(kind="file", id="/home/me/o'neil's robot.json"),
)
PROXY = Kit(
    url="http://127.0.0.1:5000",
    projects=("hub",),
    name="pull",
    push=False,
    place=Place(kind="kubernetes", id="robot", namespace="shop"),
    caches=(Cache(name="hub", upstream="https://quay.io"),),
)
CHINA = Kit(
    url="https://registry.example.cn",
    projects=("payments",),
    name="pull",
    push=False,
    place=Place(kind="aws", id="harbor/cn/pull/payments", region="cn-north-1"),
)
KITS = {"full": FULL, "pull": PULL, "proxy": PROXY, "china": CHINA}
#: Every snippet of every kit.
SNIPPETS: dict[str, Snippet] = {f"{name}-{one.file}": one for name, kit in KITS.items() for one in render(kit)}


def text_of(kit: Kit, file: str) -> str:
    (snippet,) = render(kit, [file])
    return snippet.text
