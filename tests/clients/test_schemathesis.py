"""schemathesis, which makes requests of the description at /api/v1/openapi.json and holds the answers against it."""

import os
from pathlib import Path

from support.tools import run, tool

CONFIG = Path(__file__).parent / "schemathesis.toml"
HOOKS = Path(__file__).parent / "schemathesis_hooks.py"
VICTIM = """
[[operations]]
include-operation-id = "deleteToken"
parameters = {{ id = "{}" }}
checks.ensure_resource_availability.enabled = false
"""


def test_the_program_does_what_the_description_says(server, account, tmp_path):
    # It revokes tokens, but not the one that it uses.
    victim = account.rest().post("tokens", json={"name": "n", "scopes": ["read"]}).json()["token"]["id"]
    config = tmp_path / "schemathesis.toml"
    (tmp_path / HOOKS.name).write_text(HOOKS.read_text())
    config.write_text(CONFIG.read_text() + VICTIM.format(victim))
    run(
        tool(os.environ.get("EDGEDRIVE_SCHEMATHESIS") or "schemathesis"),
        "--config-file",
        str(config),
        "run",
        server.url + "/api/v1/openapi.json",
        "--header",
        f"Authorization: Bearer {account.token()}",
        # An administrator's requests are about everybody's accounts.
        "--exclude-tag",
        "admin",
        cwd=tmp_path,
        home=tmp_path,
    )
