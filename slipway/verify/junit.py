"""A report as JUnit's XML: a suite for each group, a case for each check.

write(report, Path("verify.xml"))
"""

import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from slipway.verify.check import GROUPS, Outcome
from slipway.verify.verify import Report

#: What XML cannot hold.
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")
#: not decided is an error of the check, failed one of the registry.
_ELEMENTS = {"failed": "failure", "undecided": "error", "skipped": "skipped"}


def document(report: Report) -> bytes:
    """Give the XML."""
    suites = ET.Element("testsuites", name=report.target.url, time=f"{report.seconds:.3f}")
    for group in GROUPS:
        outcomes = [one for one in report.outcomes if one.check.group == group]
        if outcomes:
            suites.append(_suite(group, outcomes))
    ET.indent(suites)
    return ET.tostring(suites, encoding="utf-8", xml_declaration=True) + b"\n"


def write(report: Report, path: Path) -> None:
    """Write the XML, whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(document(report))
    part.replace(path)


def _suite(group: str, outcomes: list[Outcome]) -> ET.Element:
    count = {name: str(sum(_ELEMENTS.get(one.state) == name for one in outcomes)) for name in _ELEMENTS.values()}
    suite = ET.Element(
        "testsuite",
        name=f"slipway.verify.{group}",
        tests=str(len(outcomes)),
        failures=count["failure"],
        errors=count["error"],
        skipped=count["skipped"],
        time=f"{sum(one.seconds for one in outcomes):.3f}",
    )
    suite.extend(_case(outcome) for outcome in outcomes)
    return suite


def _case(outcome: Outcome) -> ET.Element:
    check = outcome.check
    name = check.id.partition(".")[2]
    case = ET.Element("testcase", classname=f"slipway.verify.{check.group}", name=name, time=f"{outcome.seconds:.3f}")
    if element := _ELEMENTS.get(outcome.state):
        inner = ET.SubElement(case, element, message=_clean(outcome.says))
        if outcome.state != "skipped":
            inner.text = _clean(f"proves: {check.proves}\nmeans: {check.reading}\ndo: {outcome.fix}")
    else:
        ET.SubElement(case, "system-out").text = _clean(outcome.says)
    return case


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
