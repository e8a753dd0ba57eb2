"""What can be read by GET, as the program's own tables name it: a route that is new is among it by itself."""

import re
from pathlib import Path

SOURCES = Path(__file__).parent.parent.parent / "src"

# Each table, from where in its file it begins, and the paths that it is below.
TABLES = (
    ("route.rs", "async fn rest(", ("",)),
    ("route.rs", "async fn api(", ("/api/v1",)),
    ("handlers/ocs/mod.rs", "async fn dispatch(", ("/ocs/v1.php", "/ocs/v2.php")),
    ("handlers/graph.rs", "async fn dispatch(", ("/graph/v1.0",)),
    ("handlers/login_flow/mod.rs", "pub async fn answer(", ("/login", "/index.php/login")),
)

# A row of a table: the methods, and the segments of one path or of several.
ROW = re.compile(r'\(((?:"[A-Z]+"|\||\s)+|_|method), ((?:\[[^\]]*\]|\||\s)+)\)(?: if [^=]+)? =>')
# A mount: the segments, and what is below it.
MOUNT = re.compile(r"&\[([^\]]+)\],\s*Tree::(\w+)")


def routes() -> list[str]:
    """The paths of the tables, with their variables in braces, like `/api/v1/files/{id}/versions`."""
    found = []
    for file, begin, prefixes in TABLES:
        _, _, rest = (SOURCES / file).read_text().partition(begin)
        rows = rest[: rest.index("\n}\n")]
        for methods, paths in ROW.findall(rows):
            if "GET" not in methods and methods not in ("_", "method"):
                continue
            for segments in re.findall(r"\[([^\]]*)\]", paths):
                # What only passes on to another table, or names what is refused, is no path.
                if not re.search(r"\.\.|\||\b_\b", segments):
                    found += [prefix + _path(segments) for prefix in prefixes]
    return list(dict.fromkeys(found))


def _path(segments: str) -> str:
    names = [segment.strip() for segment in segments.split(",") if segment.strip()]
    return "/" + "/".join(name.strip('"') if name.startswith('"') else f"{{{name}}}" for name in names)


def mounts() -> list[str]:
    """The mounts, with what differs from account to account in braces, like `/remote.php/dav/files/{Login}`."""
    _, _, rest = (SOURCES / "dav/request/mount.rs").read_text().partition("const MOUNTS")
    found = []
    for segments, _ in MOUNT.findall(rest[: rest.index("];\n")]):
        names = [name.strip() for name in segments.split(",") if name.strip()]
        found.append("".join("/" + re.sub(r'^Literal\("(.*)"\)$', r"\1", name) if "(" in name else f"/{{{name}}}" for name in names))
    return found
