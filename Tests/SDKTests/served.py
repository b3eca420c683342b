"""A `moontide serve` of its own, its keys, and the official SDK's clients against it."""

import json
import os
import re
import subprocess
import tempfile
import threading
import uuid
from pathlib import Path

import httpx
import lightfield

PROGRAM = os.environ.get("MOONTIDE", str(Path(__file__).parents[2] / ".build/release/moontide"))
START_SECONDS = 120


class Served:
    """A server in a directory of its own, from `start` to `stop`."""

    def __init__(self, *arguments: str):
        self.directory = tempfile.TemporaryDirectory(prefix="moontide-sdk-")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("LIGHTFIELD_")}
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--port", "0", *arguments],
            cwd=self.directory.name, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.output: list[str] = []
        self.found = threading.Event()
        self.url = None
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.found.wait(START_SECONDS) or self.url is None:
            self.process.kill()
            raise RuntimeError("moontide serve did not say where it listens:\n" + "".join(self.output))

    def _read(self):
        for line in self.process.stdout:
            self.output.append(line)
            if self.url is None and (match := re.search(r"https?://[^\s\"']+:\d+", line)):
                self.url = match.group(0)
                self.found.set()
        self.found.set()

    def key(self, *arguments: str) -> str:
        """Makes a key and gives it."""
        made = subprocess.run(
            [PROGRAM, "keys", "create", "--name", uuid.uuid4().hex, "--json", *arguments],
            cwd=self.directory.name, env=self.environment, text=True, capture_output=True, check=False)
        if made.returncode != 0:
            raise RuntimeError(f"keys create {arguments}: {made.stderr}")
        return json.loads(made.stdout)["key"]

    def stop(self) -> int:
        """Ends the server as a service manager does, and gives its exit status."""
        self.process.terminate()
        status = self.process.wait(60)
        self.reader.join(10)
        self.process.stdout.close()
        self.directory.cleanup()
        return status


def _record(response: httpx.Response, text: str):
    """Writes an exchange down for check_messages.py, where MOONTIDE_MESSAGES names a directory."""
    directory = os.environ.get("MOONTIDE_MESSAGES")
    target = response.request.url.raw_path.decode()
    if not directory or not target.startswith("/v1/"):
        return
    line = {
        "method": response.request.method,
        "target": target,
        "version": response.request.headers.get("lightfield-version"),
        "request": response.request.content.decode(),
        "status": response.status_code,
        "contentType": response.headers.get("content-type"),
        "response": text,
    }
    with open(Path(directory) / f"sdk-{os.getpid()}.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def sync_client(url: str, key: str, **options) -> lightfield.Lightfield:
    def hook(response):
        response.read()
        _record(response, response.text)

    return lightfield.Lightfield(
        api_key=key, base_url=url, _strict_response_validation=True,
        http_client=lightfield.DefaultHttpxClient(event_hooks={"response": [hook]}), **options)


def async_client(url: str, key: str, **options) -> lightfield.AsyncLightfield:
    async def hook(response):
        await response.aread()
        _record(response, response.text)

    return lightfield.AsyncLightfield(
        api_key=key, base_url=url, _strict_response_validation=True,
        http_client=lightfield.DefaultAsyncHttpxClient(event_hooks={"response": [hook]}), **options)
