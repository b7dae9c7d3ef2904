"""A robot's secret, made here, so that it can be stored before Harbor has it.

new_secret()    # 40 letters and digits
"""

import secrets
import string

from pydantic import SecretStr

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 40  # 238 bits; Harbor takes 8 to 128 characters
_KINDS = (str.islower, str.isupper, str.isdigit)
_FAIR = 256 - 256 % len(_ALPHABET)  # bytes from here on would make some letters likelier


def new_secret() -> SecretStr:
    """Give one that Harbor takes: a small letter, a capital and a digit are in it. No sign that a shell would read."""
    while True:
        # All at once: a question to the system for each letter is what thousands of robots would wait for.
        letters = [_ALPHABET[each % len(_ALPHABET)] for each in secrets.token_bytes(2 * _LENGTH) if each < _FAIR]
        text = "".join(letters[:_LENGTH])
        if len(text) == _LENGTH and all(any(map(kind, text)) for kind in _KINDS):
            return SecretStr(text)
