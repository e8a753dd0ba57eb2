"""/api/v1/openapi.json: the description, held against the program."""

import httpx
import pytest

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document(server):
    answer = httpx.get(server.url + "/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


def operations(document):
    base = next((server["url"] for server in document.get("servers", []) if server["url"].startswith("/")), "").rstrip(
        "/"
    )
    return [
        (method, base + path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_the_version_and_the_frame(document):
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] and document["info"]["version"]


def test_every_route_is_described(document):
    described = {(method, path) for method, path, _ in operations(document)}
    paths = {path for _, path in described}
    for method, path in [
        ("get", "/api/v1/me"),
        ("get", "/api/v1/folders"),
        ("post", "/api/v1/folders"),
        ("get", "/api/v1/files"),
        ("post", "/api/v1/files"),
        ("get", "/api/v1/tokens"),
        ("post", "/api/v1/tokens"),
        ("get", "/api/v1/admin/accounts"),
        ("post", "/api/v1/admin/accounts"),
    ]:
        assert (method, path) in described, f"{method} {path} is not among {sorted(paths)}"
    for ending in ("/download", "/versions", "/restore"):
        assert any(path.endswith(ending) for path in paths), ending


def test_every_described_operation_exists_and_needs_a_token(server, document):
    for method, path, _ in operations(document):
        if path.endswith("openapi.json"):
            continue
        while "{" in path:
            path = path[: path.index("{")] + "1" + path[path.index("}") + 1 :]
        answer = httpx.request(method, server.url + path)
        assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"


def test_every_operation_has_an_id_answers_and_all_its_path_parameters(document):
    ids = set()
    for method, path, operation in operations(document):
        assert operation["operationId"] not in ids
        ids.add(operation["operationId"])
        assert any(code.startswith("2") for code in operation["responses"]), f"{method} {path}"


def test_every_reference_leads_somewhere(document):
    def references(value):
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for reference in references(document):
        assert reference.startswith("#/")
        target = document
        for step in reference[2:].split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
