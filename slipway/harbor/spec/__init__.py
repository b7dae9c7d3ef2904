"""harbor.yaml as models: strict, with every problem told at once, and secrets only as references.

    spec = load(files(Path("stacks/prod/harbor.yaml")))
    spec.all_projects["payments"].members

What holds everywhere: a key that is absent is not managed; `null` is Harbor's default; `[]` empties. Names are those of
Harbor's API. A kind of object has its models in one module here and its behaviour in one module of kinds/.
"""

from slipway.harbor.spec.load import files, load
from slipway.harbor.spec.root import HarborSpec
from slipway.harbor.spec.secret import SecretRef

__all__ = ["HarborSpec", "SecretRef", "files", "load"]
