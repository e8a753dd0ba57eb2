"""Clients at work, a sweeper, and a killer of the server; then the calm, in which everything is to be put in order.

EDGEDRIVE_KILLS says how often the server is killed, EDGEDRIVE_KILL_SEED what is drawn by lot.
"""

import os
import random
import secrets
import sqlite3
import threading
import time
from pathlib import Path

import httpx

from support.mortal import Mortal
from support.receiver import Exchange, status
from support.rest import Rest
from support.server import Server
from support.state import objects
from support.writer import Stage, Writer

KILLS = int(os.environ.get("EDGEDRIVE_KILLS", "10"))
SEED = os.environ.get("EDGEDRIVE_KILL_SEED") or secrets.token_hex(4)

# Seconds that the server lives.
LIFE = (0.1, 1.5)

# Seconds between sweeps.
SWEEPS = 0.3

DAY = 86_400_000


def rage(server: Server, mortal: Mortal, database: Path, writers: list[Writer], stage: Stage):
    """Kills the server again and again while the clients work. At the end, all know what was done, and it runs."""
    lot = random.Random(f"{SEED} kills")
    sweeper = threading.Thread(target=sweep_all_the_time, args=(server, stage))
    stage.up.set()
    began = time.monotonic()
    for thread in (*writers, sweeper):
        thread.start()
    try:
        for _ in range(KILLS):
            if lot.random() < 0.7:
                # Where all is slow, lives would be too short for anything to be done.
                stage.answered.wait(10)
            time.sleep(lot.uniform(*LIFE))
            stage.up.clear()
            stage.answered.clear()
            mortal.kill()
            # Else nobody would do what a dead runner has leased, nor count its uploads as garbage, until all is over.
            if lot.random() < 0.5:
                let_a_day_pass(database)
            mortal.start()
            stage.up.set()
            stage.count("kills")
    finally:
        stage.over.set()
        stage.up.set()
        for thread in (*writers, sweeper):
            thread.join()
        stage.count("seconds", round(time.monotonic() - began))


def sweep_all_the_time(server: Server, stage: Stage):
    """Has jobs done and garbage collected, so that the server is killed while it does that, too."""
    while not stage.over.wait(SWEEPS):
        stage.up.wait()
        try:
            with Rest(server.url, server.admin_token, "/internal/") as internal:
                answer = internal.post("jobs/run")
        except httpx.TransportError:
            continue
        if answer.status_code == 200:
            stage.count("blobs collected meanwhile", answer.json()["deletedBlobs"])


def take_your_time(exchange: Exchange):
    """A receiver's answer: some take so long that the server is killed while it waits for them."""
    time.sleep(random.choice((0, 0, 0, 0, 0.3)))
    status(204)(exchange)


def let_a_day_pass(database: Path):
    """What was due tomorrow is due now: the blobs of uploads that broke off, the leases of jobs. No server may run."""
    # No PUT of today's is still under way tomorrow.
    objects().settle()
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE jobs SET due_at = due_at - ?", [DAY])
        connection.execute("UPDATE blob_garbage SET due_at = due_at - ?1, given_up = max(given_up - ?1, 0)", [DAY])
    connection.close()


def sweep_until_nothing_is_left(server: Server, stage: Stage, patience: float = 120):
    """Calls the runner until there are no jobs, and no blobs that it could delete."""
    until = time.monotonic() + patience
    with Rest(server.url, server.admin_token, "/internal/") as internal:
        while True:
            answer = internal.post("jobs/run")
            assert answer.status_code == 200, answer.text
            stage.count("blobs collected at the end", answer.json()["deletedBlobs"])
            stage.count("sweeps at the end")
            if answer.json()["left"] == 0 and answer.json()["deletedBlobs"] == 0:
                return
            assert time.monotonic() < until, f"after {patience} s: {answer.text}"
            time.sleep(0.1)
