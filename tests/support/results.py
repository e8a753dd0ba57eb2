"""The table of results: what each runtime passes, area by area.

    results.py FOLDER [README]

FOLDER holds what scripts/test left there: `contracts` (lines of port, runtime, outcome) and pytest's reports, whose names
begin with the runtime. The table is printed; where README is given, it replaces what stands there between the two marks.
"""

import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

RUNTIMES = {"workerd": "workerd, D1, R2", "spin": "Spin, SQLite, S3"}
MARKS = ("<!-- results -->\n", "<!-- /results -->\n")

# The first that fits counts.
AREAS = {
    "litmus, at each of seven URLs": r"clients\.test_litmus",
    "nextcloudcmd and owncloudcmd: folders synced": r"clients\.test_sync",
    "rclone: a tree up, checked, synced, moved": r"clients\.test_(rclone|vendors)",
    "libraries: webdav, webdav4, pyocclient, nc-py-api": r"clients\.test_(npm_webdav|webdav4|pyocclient|nc_py_api)",
    "resumable uploads by tus-js-client and tuspy": r"clients\.test_tus",
    "one large file, memory flat": r"clients\.test_large",
    "behind nginx, and the documentation's own lines": r"clients\.test_(nginx|spec_lines|spec_curl)",
    "Chromium: lists, films, music, PDF, text, logging in": r"clients\.test_browser",
    "encryption at rest, tampering": r"clients\.test_at_rest",
    "WebDAV": r"e2e\.dav\.",
    "what sync clients ask beside WebDAV": r"e2e\.ocs\.",
    "REST": r"e2e\.rest\.",
    "pages for people; HEAD as GET": r"e2e\.test_(pages|head)",
    "fsck: orphans and losses": r"e2e\.test_fsck",
    "budgets: SQL round trips and rows": r"e2e\.test_budgets",
    "concurrency, and everything counted again": r"e2e\.test_(concurrency|recount)",
    "hostile requests": r"e2e\.test_hostile",
    "webhooks": r"webhooks\.",
    "virus scanning": r"scan\.",
    "faults between drive and object store": r"faults\.",
    "killed while it is used": r"kill\.",
}


def outcomes(report: Path) -> dict[str, Counter]:
    """The outcomes of a report, by area."""
    found: dict[str, Counter] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        area = next((area for area, pattern in AREAS.items() if re.search(pattern, name)), "other")
        bad = case.find("failure") is not None or case.find("error") is not None
        outcome = "failed" if bad else "skipped" if case.find("skipped") is not None else "passed"
        found.setdefault(area, Counter())[outcome] += 1
    return found


def cell(outcome: Counter | None) -> str:
    if not outcome:
        return "–"
    total = sum(outcome.values())
    skipped = f", {outcome['skipped']} skipped" if outcome["skipped"] else ""
    return f"{outcome['passed']} of {total}{skipped}"


def table(folder: Path) -> str:
    """Markdown; nothing where there are no results."""
    columns: dict[str, dict[str, Counter]] = {}
    for runtime in RUNTIMES:
        for report in sorted(folder.glob(f"{runtime}*.xml")):
            columns.setdefault(runtime, {}).update(outcomes(report))
    lines = []
    if columns:
        lines += ["| | " + " | ".join(RUNTIMES[runtime] for runtime in columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for area in [*AREAS, "other"]:
            row = [column.get(area) for column in columns.values()]
            if any(row):
                lines.append(f"| {area} | " + " | ".join(map(cell, row)) + " |")
    return "\n".join([*lines, *contracts(folder / "contracts")]) + "\n"


def contracts(file: Path) -> list[str]:
    """The ports whose contracts hold, by runtime."""
    if not file.exists():
        return []
    outcome: dict[str, dict[str, str]] = {}
    for line in file.read_text().splitlines():
        port, runtime, result = line.split("\t")
        outcome.setdefault(port, {})[runtime] = result
    runtimes = list(dict.fromkeys(runtime for results in outcome.values() for runtime in results))
    lines = ["", "| contract of the port | " + " | ".join(runtimes) + " |", "|---" * (len(runtimes) + 1) + "|"]
    return lines + [
        f"| {port} | " + " | ".join(results.get(runtime, "–") for runtime in runtimes) + " |"
        for port, results in outcome.items()
    ]


def main(folder: Path, readme: Path | None):
    text = table(folder)
    print(text, end="")
    if readme:
        before, rest = readme.read_text().split(MARKS[0])
        readme.write_text(f"{before}{MARKS[0]}{text}{MARKS[1]}{rest.split(MARKS[1])[1]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
