"""The server's log, in the file that EDGEDRIVE_LOG names."""

import os
import time
from pathlib import Path

# What gives a stranger access: S3's signatures in URLs, and the drive's own tokens.
SECRET_WORDS = ("X-Amz-Signature", "X-Amz-Credential", "ocl_")

# What the test host for Spin and workerd write of their own when a response breaks off.
OF_THE_HOST = ("Error serving HTTP connection", "Uncaught ")


class Log:
    """What is written from now on."""

    def __init__(self):
        self.path = Path(os.environ["EDGEDRIVE_LOG"])
        self.start = self.path.stat().st_size

    def text(self) -> str:
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read().decode(errors="replace")

    def lines(self, word: str, least: int = 0) -> list[str]:
        """The lines of the server that hold `word`; waits a little until there are `least`."""
        for _ in range(50):
            lines = [line for line in self.text().splitlines() if not any(other in line for other in OF_THE_HOST)]
            found = [line for line in lines if word in line]
            if len(found) >= least:
                break
            time.sleep(0.1)
        return found

    def secrets(self) -> list[str]:
        """The words that should not be there."""
        text = self.text()
        return [word for word in (*SECRET_WORDS, os.environ["EDGEDRIVE_STORE_SECRET"]) if word in text]
