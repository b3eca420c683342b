"""The key goes to its own service and nowhere else: not into output, logs, state, other hosts, scripts, programs."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import hostile
from served import PROGRAM, Served

# A script that looks wherever it may for the key, and prints what it finds.
PRYING = """
local function try(what) print(pcall(what)) end
local key
try(function() key = moontide.env.LIGHTFIELD_API_KEY return key end)
try(function() return moontide.process.run { "/usr/bin/env" }.stdout end)
try(function() return moontide.process.run { "/bin/sh", "-c", "tr '\\0' '\\n' < /proc/$PPID/environ" }.stdout end)
try(function() return moontide.process.run { "/bin/sh", "-c", "tr '\\0' ' ' < /proc/$PPID/cmdline" }.stdout end)
for _, path in ipairs { "/proc/self/environ", ".moontide/profiles.json", ".moontide/ledger.sqlite" } do
  try(function() return moontide.fs.read(path) end)
end
try(function() return moontide.files.list() end)
try(function() return moontide.files.create { filename = "x", mime_type = "text/plain", size_bytes = 1 } end)
print("pried to the end")
"""

# Of the commands those that end soon where every call is tried again.
SHORT = [["run", "s.lua"], ["run", "s.lua", "--json"], ["files", "list", "--json"], ["meetings", "list"]]


class Secrets(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="moontide-secrets-")
        self.project = Path(self.directory.name)
        (self.project / "in").mkdir()
        (self.project / "in" / "a.txt").write_text("hello\n")
        (self.project / "s.lua").write_text("return { name = 's', discover = { root = 'in' } }")
        (self.project / "pry.lua").write_text(PRYING)
        (self.project / "c.vtt").write_text("WEBVTT\n")
        self.said = ""
        self.hosts = []

    def tearDown(self):
        for host in self.hosts:
            host.stop()
        self.directory.cleanup()

    def host(self, address, answer) -> hostile.Host:
        self.hosts.append(hostile.Host(address, answer))
        return self.hosts[-1]

    def run_all(self, key: str, url: str, *commands: list[str]):
        """Runs every command that talks to the service, in every form of its output; or those that are named."""
        everything = list(commands) or [
            ["run", "s.lua"], ["run", "s.lua", "--json"], ["files", "list"], ["files", "list", "--json"],
            ["files", "list", "--all"], ["files", "get", "fil_1"], ["files", "upload", "c.vtt"],
            ["files", "upload", "c.vtt", "--json"], ["files", "url", "fil_1"], ["files", "download", "fil_1"],
            ["files", "complete", "--id", "fil_1"], ["files", "cancel", "--id", "fil_1"],
            ["files", "create", "--filename", "c.vtt", "--mime-type", "text/vtt", "--size-bytes", "7"],
            ["files", "upload", "c.vtt", "gone.vtt", "--purpose", "meeting_transcript"],
            ["meetings", "list"], ["meetings", "list", "--json"], ["meetings", "get", "mtg_1"],
            ["meetings", "find", "--title", "a"], ["meetings", "attach", "mtg_1", "fil_1"],
            ["meetings", "create", "--title", "a", "--start-date", "2026-04-08T09:00:00Z", "--end-date",
             "2026-04-08T10:00:00Z"],
            ["why", "in/a.txt"], ["profiles", "list"], ["exec", "--allow-all", "pry.lua"],
        ]
        for words in everything:
            self.moontide(words, {"LIGHTFIELD_API_KEY": key, "LIGHTFIELD_BASE_URL": url})
        with tempfile.NamedTemporaryFile("w", prefix="moontide-key-") as file:
            file.write(key + "\n")
            file.flush()
            for words in (["run", "s.lua", "--json"], ["files", "list"]):
                self.moontide([*words, "--service", url, "--api-key-file", file.name], {})

    def moontide(self, words, variables):
        base = {k: v for k, v in os.environ.items() if not k.startswith("LIGHTFIELD_")}
        ended = subprocess.run(
            [PROGRAM, *words], cwd=self.project, env=base | variables | {"HOME": self.directory.name}, text=True,
            capture_output=True, check=False, timeout=300)
        self.said += f"$ moontide {' '.join(words)} -> {ended.returncode}\n{ended.stdout}{ended.stderr}\n"

    def find(self, key: str, *others: hostile.Host):
        """Looks for the key in all that was said, written and sent to others. A part of it would do, too."""
        for part in (key, key[6:-4]):
            lines = [line for line in self.said.splitlines() if part in line]
            self.assertEqual(lines, [], "the key was printed")
            for path in self.project.rglob("*"):
                if path.is_file():
                    self.assertNotIn(part.encode(), path.read_bytes(), f"the key is in {path}")
            for other in others:
                self.assertEqual([seen for seen in other.seen if part in seen], [], "the key went elsewhere")

    def test_where_everything_goes_well(self):
        served = Served("--rate-limit", "off")
        try:
            key = served.key()
            self.run_all(key, served.url)
            self.assertRegex(self.said, r"run s\.lua -> 0")
            self.assertRegex(self.said, r"run s\.lua --json --service .* -> 0")
            self.assertIn("pried to the end", self.said)
            log = "".join(served.output)
            self.assertRegex(log, r'"/v1/files"')
            self.said += log
            self.find(key)
            for path in Path(served.directory.name).rglob("*"):
                if path.is_file():
                    self.assertNotIn(key.encode(), path.read_bytes(), f"the server keeps the key in {path}")
            signatures = re.findall(r"[?&](?:signature|sig|X-Signature)=", log)
            self.assertEqual(signatures, [], "the access log has signatures, by which files can be fetched")
        finally:
            served.stop()

    def test_where_the_key_is_refused(self):
        served = Served("--rate-limit", "off")
        try:
            key = "sk_lf_MARKED0123456789abcdefMARKED"
            self.run_all(key, served.url)
            self.assertRegex(self.said, r"run s\.lua -> 4")
            self.said += "".join(served.output)
            self.find(key)
        finally:
            served.stop()

    def test_where_the_service_sends_elsewhere(self):
        key = "sk_lf_MARKED1123456789abcdefMARKED"
        other = self.host("127.0.0.2", lambda _: (200, {}, "{}"))
        for status in (307, 301, 302, 308):
            service = self.host("127.0.0.1", hostile.redirecting(status, other))
            self.run_all(key, service.url, *([] if status == 307 else SHORT))
            self.assertTrue(any(key in seen for seen in service.seen), "the key did not even go to its service")
        self.assertEqual(other.seen, [], "a redirect was followed")
        self.find(key, other)

    def test_where_the_service_repeats_the_key(self):
        key = "sk_lf_MARKED2123456789abcdefMARKED"
        for answer in (hostile.echoing(401), hostile.echoing(400), hostile.echoing(404), hostile.echoing_text(403),
                       hostile.echoing_text(500)):
            service = self.host("127.0.0.1", answer)
            self.run_all(key, service.url, *([] if service == self.hosts[0] else SHORT))
            self.assertTrue(any(key in seen for seen in service.seen), "the key did not even go to its service")
        self.find(key)

    def test_where_the_bytes_go_to_another_host(self):
        key = "sk_lf_MARKED3123456789abcdefMARKED"
        third = self.host("127.0.0.3", lambda _: (200, {}, ""))
        other = self.host("127.0.0.2", hostile.redirecting(307, third))
        service = self.host("127.0.0.1", hostile.sending_bytes_to(other))
        self.run_all(key, service.url)
        self.assertTrue(any(seen.startswith("PUT /bytes") for seen in other.seen), self.said)
        self.assertEqual(third.seen, [], "a redirect of the bytes was followed")
        self.find(key, other, third)

    def test_where_nobody_answers(self):
        key = "sk_lf_MARKED4123456789abcdefMARKED"
        gone = self.host("127.0.0.1", lambda _: (200, {}, ""))
        gone.stop()
        self.hosts.clear()
        self.run_all(key, gone.url, *SHORT)
        self.find(key)
