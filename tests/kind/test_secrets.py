"""What `slipway kind up` makes is of the form that Harbor takes, with the keys that External Secrets writes on EKS."""

import bcrypt
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from slipway.kind.place import Place
from slipway.kind.secrets import document
from values.composition import Composition
from values.secrets import secrets_for

WANTED = secrets_for(Composition.of(Place(name="laptop").facts()).parts)
MADE = {secret.name: document(secret)["stringData"] for secret in WANTED}


def test_keys_are_those_of_the_table():
    for secret in WANTED:
        assert MADE[secret.name].keys() == (secret.template or secret.properties).keys()
        assert all(MADE[secret.name].values())
        assert "{{" not in "".join(MADE[secret.name].values())


def test_forms_are_what_harbor_takes():
    assert len(MADE["harbor-secretkey"]["secretKey"]) == 16
    (xsrf,) = MADE["harbor-xsrf"].values()
    assert len(xsrf) == 32
    user, _, hashed = MADE["harbor-registry-creds"]["REGISTRY_HTPASSWD"].partition(":")
    assert user == "harbor_registry_user"
    assert bcrypt.checkpw(MADE["harbor-registry-creds"]["REGISTRY_PASSWD"].encode(), hashed.encode())
    key = load_pem_private_key(MADE["harbor-token-service"]["tls.key"].encode(), None)
    assert isinstance(key, RSAPrivateKey)
    assert key.key_size == 4096
    assert yaml.safe_load(MADE["harbor-db-internal"]["values.yaml"])["database"]["internal"]["password"]


def test_each_install_gets_others():
    for secret in WANTED:
        if secret.name != "harbor-token-service":  # seconds each
            assert document(secret)["stringData"] != MADE[secret.name]
