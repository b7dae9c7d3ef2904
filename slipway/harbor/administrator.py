"""Harbor's administrator: where the first password is kept, and what a user is told who gives none.

password, why = first_password("harbor/prod", "eu-central-1")     # or None, and why
"""

import json

from pydantic import SecretStr

#: A password never comes from the command line, where every user of the machine would read it.
VARIABLE = "SLIPWAY_HARBOR_PASSWORD"
WAYS = f"set {VARIABLE}, or give --password-stdin"
NAME = "admin"
#: Of the Secret in Kubernetes, of what Secrets Manager has below an environment's prefix, and the key in both.
SECRET, KEY = "harbor-admin", "HARBOR_ADMIN_PASSWORD"


def first_password(prefix: str, region: str) -> tuple[SecretStr | None, str]:
    """Give what an environment's administrator was made with, from Secrets Manager; or nothing, and why.

    Args:
        prefix: of the environment's names there.
        region: of Secrets Manager.
    """
    import boto3  # noqa: PLC0415  # 200 ms that an address needs not
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    name = f"{prefix}/{SECRET}"
    # A person waits: where AWS cannot be reached, botocore's own patience is five minutes.
    patience = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    try:
        client = boto3.client("secretsmanager", region_name=region, config=patience)
        return SecretStr(json.loads(client.get_secret_value(SecretId=name)["SecretString"])[KEY]), ""
    except ClientError as error:
        return None, f"Secrets Manager does not give {name} ({error.response['Error']['Code']})"
    except BotoCoreError as error:
        return None, f"{name} cannot be read from Secrets Manager: {error}"
    except (ValueError, KeyError, TypeError):
        return None, f"{name} in Secrets Manager holds no {KEY}"
