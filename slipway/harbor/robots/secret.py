"""A robot's secret, made here, so that it can be stored before Harbor has it.

new_secret()    # 40 letters and digits
"""

import secrets
import string

from pydantic import SecretStr

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 40  # 238 bits; Harbor takes 8 to 128 characters


def new_secret() -> SecretStr:
    """Give one that Harbor takes: a small letter, a capital and a digit are in it. No sign that a shell would read."""
    while True:
        text = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        if any(map(str.islower, text)) and any(map(str.isupper, text)) and any(map(str.isdigit, text)):
            return SecretStr(text)
