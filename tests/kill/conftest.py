"""Fixtures of the tests that kill the server: one storm, and what it left behind.

EDGEDRIVE_SERVE tells how the server is started (support/mortal.py), on the address in EDGEDRIVE_URL; the other settings
are those of all tests that look behind a server (support/state.py).
"""

import os
from collections import Counter
from dataclasses import dataclass

import pytest

from support.hooks import Hook
from support.mortal import Mortal
from support.receiver import Receiver
from support.server import Account, Server
from support.state import drive_database
from support.storm import KILLS, SEED, let_a_day_pass, rage, sweep_until_nothing_is_left, take_your_time
from support.writer import Stage, Writer

ACCOUNTS, WRITERS = 2, 3
EVENTS = ["file.created", "file.updated", "file.deleted", "file.moved"]

figures: Counter[str] = Counter()


def pytest_report_header() -> str:
    return f"EDGEDRIVE_KILLS={KILLS} EDGEDRIVE_KILL_SEED={SEED}"


def pytest_terminal_summary(terminalreporter):
    if figures:
        terminalreporter.write_line(", ".join(f"{number} {what}" for what, number in figures.items()))


@dataclass
class Tenant:
    """An account, those who change its drive, and its webhook."""

    account: Account
    writers: list[Writer]
    hook: Hook


@pytest.fixture(scope="session")
def mortal():
    """The server. Blobs may be deleted as soon as nothing names them; few versions are kept and deletions are final, so that
    many are."""
    if not os.environ.get("EDGEDRIVE_SERVE"):
        pytest.skip("EDGEDRIVE_SERVE does not tell how to start the server")
    mortal = Mortal(WEBHOOK_ALLOW_PRIVATE="1", BLOB_GRACE_SECONDS="0", VERSIONS_KEPT="2", TRASH_DAYS="0")
    mortal.start()
    yield mortal
    mortal.kill()


@pytest.fixture(scope="session")
def server(mortal):
    """A client of the administrator; the accounts are not deleted, since the server goes, too."""
    return Server(os.environ["EDGEDRIVE_URL"], os.environ["EDGEDRIVE_ADMIN_TOKEN"])


@pytest.fixture(scope="session")
def tenants(mortal, server) -> list[Tenant]:
    """After the storm, a last death, a day, and sweeps until nothing was left."""
    stage, database = Stage(), drive_database()
    with Receiver() as receiver:
        tenants = [tenant(server, receiver, stage, number) for number in range(ACCOUNTS)]
        rage(server, mortal, database, [writer for tenant in tenants for writer in tenant.writers], stage)
        mortal.kill()
        let_a_day_pass(database)
        mortal.start()
        sweep_until_nothing_is_left(server, stage)
        stage.count("deliveries", len(receiver.requests()))
    figures.update(stage.figures)
    return tenants


def tenant(server: Server, receiver: Receiver, stage: Stage, number: int) -> Tenant:
    account, path = server.account(), f"/{number}"
    receiver.answer(path, take_your_time)
    writers = [Writer(stage, account, f"w{nth}", f"{SEED} {number} {nth}") for nth in range(WRITERS)]
    return Tenant(account, writers, Hook(account.rest(), receiver, path, events=EVENTS))
