"""Plays a Dockerfile without a container engine: its COPY and RUN steps, in a folder that stands for the root.

    image = play(ROOT / "docker/harbor/Dockerfile", tmp_path)
    image.run(["slipway", "--help"], env={})

Not played: the base image (this Python stands for it), users, `--mount`, that stages are apart. Paths of the image that a
step or a file names are brought below the folder.
"""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.graph.graphs import ROOT

#: Folders that the image has of its own, where steps and scripts name them.
_OWN = re.compile(r"(?<![\w./-])/(?=opt/slipway|usr/local/bin/slipway|requirements\.txt)")


@dataclass(frozen=True)
class Step:
    name: str
    text: str

    @property
    def options(self) -> dict[str, str]:
        return dict(re.findall(r"--(\w+)=(\S+)", self.text))

    @property
    def words(self) -> list[str]:
        if self.text.startswith("["):
            return json.loads(self.text)
        return [word for word in self.text.split() if not word.startswith("--")]


def steps(path: Path) -> list[Step]:
    """Read the steps, one after the other."""
    lines = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [Step(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def goes_into_the_context(path: Path, dockerfile: Path) -> bool:
    """Tell whether an engine would be given a file; the last rule that fits decides."""
    given, name = True, path.relative_to(ROOT).as_posix()
    for rule in dockerfile.with_name(f"{dockerfile.name}.dockerignore").read_text().split("\n"):
        pattern = rule.removeprefix("!")
        if not rule or rule.startswith("#"):
            continue
        parts = [name, *(parent.as_posix() for parent in Path(name).parents if parent != Path())]
        if any(fnmatch.fnmatch(part, pattern) or fnmatch.fnmatch(f"/{part}", f"*/{pattern[3:]}")
               if pattern.startswith("**/") else fnmatch.fnmatch(part, pattern) for part in parts):  # fmt: skip
            given = rule.startswith("!")
    return given


@dataclass
class Image:
    """What came of it."""

    root: Path
    settings: dict[str, str] = field(default_factory=dict)

    def inside(self, text: str) -> str:
        """Bring paths of the image below the folder."""
        return _OWN.sub(f"{self.root}/", text)

    def run(self, command, env, **more) -> subprocess.CompletedProcess:
        """Run a command with these variables and no other."""
        path = f"{self.root}/usr/local/bin:/usr/bin:/bin"
        return subprocess.run(
            command, env={"PATH": path} | env, cwd="/", capture_output=True, text=True, check=False, timeout=120, **more
        )

    def files(self) -> dict[str, float]:
        return {str(path): path.lstat().st_mtime for path in self.root.rglob("*")}


def play(dockerfile: Path, root: Path) -> Image:
    """Do the steps.

    Raises:
        subprocess.CalledProcessError: one of them failed.
    """
    image = Image(root)
    for step in steps(dockerfile):
        if step.name == "COPY" and "from" not in step.options:
            _copy(step, image, dockerfile)
        elif step.name == "RUN":
            _run(step, image)
        elif step.name not in {"COPY", "ARG", "FROM"}:
            image.settings[step.name] = step.text
    return image


def _copy(step: Step, image: Image, dockerfile: Path) -> None:
    source, target = step.words
    found = [path for path in [ROOT / source, *(ROOT / source).rglob("*")] if path.is_file()]
    given = [path for path in found if goes_into_the_context(path, dockerfile)]
    assert given, f"COPY {source}: nothing of it is in the context"
    for path in given:
        inside = path.relative_to(ROOT / source).as_posix()
        place = Path(f"{image.root}{target}") / inside if inside != "." else Path(f"{image.root}{target}")
        place.parent.mkdir(parents=True, exist_ok=True)
        if inside == "." and path.stat().st_mode & 0o111:  # a script of the image: its own paths as well
            place.write_text(image.inside(path.read_text().replace("#!/", "#! /")).replace("#! /", "#!/"))
        else:
            shutil.copyfile(path, place)
        place.chmod(int(step.options.get("chmod", "0644"), 8))


def _run(step: Step, image: Image) -> None:
    command = step.words if step.text.startswith("[") else ["sh", "-ec", re.sub(r"--mount=\S+\s*", "", step.text)]
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(image.root)}
    done = subprocess.run(
        [image.inside(word) for word in command], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
