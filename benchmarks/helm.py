"""Our render beside Helm's own engine on the same environments: values and Flux objects, or every object of the chart.

python benchmarks/helm.py --environments 100
"""

import argparse
import time
from collections.abc import Iterable
from pathlib import Path

from render import environments  # this folder's own; it is first on the path

from infra.charts import cached
from values.facts import DEFAULT_CHART_VERSION, Facts
from values.helm import objects_by_template, rendered
from values.releases import releases
from values.render import render


def helm_template(environments: Iterable[Facts], archive: Path, *, parse: bool = False) -> tuple[float, int, int]:
    """Render the chart for each environment through the SDK, as `helm template` does in a process of its own.

    Args:
        environments: whose values.
        archive: of the chart.
        parse: read the manifests as well, as whoever compares objects does.

    Returns:
        Seconds, manifests, and bytes of them. Our own render, which makes the values, is not counted.
    """
    wanted = [next(one for one in releases(render(facts)) if one.chart == "harbor") for facts in environments]
    rendered(archive, wanted[0].values)  # the library is loaded once
    count = size = 0
    started = time.perf_counter()
    for release in wanted:
        texts = rendered(archive, release.values)
        count, size = count + len(texts), size + sum(map(len, texts.values()))
        if parse:
            objects_by_template(texts)
    return time.perf_counter() - started, count, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=int, default=100)
    count = parser.parse_args().environments
    facts = environments(count)
    render(facts[0])
    started = time.perf_counter()
    ours = sum(len(render(one)) for one in facts)
    seconds = time.perf_counter() - started
    print(f"{count / seconds:6.0f} environments a second, values and Flux objects by our render: {ours} files")
    archive = cached(DEFAULT_CHART_VERSION)
    if not archive.exists():
        print(f"no {archive}: the official chart is not rendered")
        return
    for parse in (False, True):
        seconds, manifests, size = helm_template(facts, archive, parse=parse)
        kind = " and parsed" if parse else ""
        print(
            f"{count / seconds:6.0f} environments a second rendered by Helm{kind}: {manifests} manifests, {size} bytes"
        )


if __name__ == "__main__":
    main()
