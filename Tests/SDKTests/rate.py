"""Sends small files against a server that allows 25 requests a second of a kind.

A file takes two of them, so 12.5 files a second is all that the limit gives. Prints what `moontide run` made of it,
and what the server's metrics say of refusals.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from served import PROGRAM, Served

LIMIT = 25


def send(count: int) -> tuple[float, dict[str, int]]:
    """Runs the files through, and gives the seconds it took and the server's count of answers by status."""
    served = Served("--rate-limit", str(LIMIT))
    try:
        environment = served.environment | {"LIGHTFIELD_API_KEY": served.key(), "LIGHTFIELD_BASE_URL": served.url}
        with tempfile.TemporaryDirectory(prefix="moontide-rate-") as project:
            (Path(project) / "in").mkdir()
            for number in range(count):
                (Path(project) / "in" / f"{number}.txt").write_text(f"file {number}\n")
            (Path(project) / "rate.lua").write_text("return { name = 'rate', discover = { root = 'in' } }")
            began = time.monotonic()
            run = subprocess.run(
                [PROGRAM, "run", "rate.lua"], cwd=project, env=environment, text=True, capture_output=True, check=False)
            seconds = time.monotonic() - began
        if run.returncode != 0:
            raise RuntimeError(f"moontide run ended with {run.returncode}:\n{run.stdout[-2000:]}\n{run.stderr}")
        return seconds, statuses(httpx.get(served.url + "/metrics").text)
    finally:
        served.stop()


def statuses(metrics: str) -> dict[str, int]:
    """How many answers of each status the server counted."""
    found: dict[str, int] = {}
    for labels, number in re.findall(r"^\w*requests_total\{(.*)\} (\d+)", metrics, re.MULTILINE):
        if match := re.search(r'status="(\d+)"', labels):
            found[match.group(1)] = found.get(match.group(1), 0) + int(number)
    return found


def main() -> int:
    count = int(sys.argv[1])
    seconds, answers = send(count)
    ceiling = LIMIT / 2
    share = count / seconds / ceiling
    print(
        f"rate: {count} files in {seconds:.1f} s, {count / seconds:.2f} a second, {share:.1%} of the {ceiling} that "
        f"{LIMIT} requests a second give; answers {answers}; {os.getloadavg()[0]:.1f} load")
    return 0 if share >= 0.95 and not answers.get("429") and answers.get("200", 0) >= 3 * count else 1


if __name__ == "__main__":
    sys.exit(main())
