"""A service that would like to know where the key goes, and another host that should never see it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Host:
    """An HTTP server of this process that keeps what it is sent; `answer` says what it replies."""

    def __init__(self, address: str, answer):
        self.seen: list[str] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                host.seen.append(f"{self.command} {self.path}\n{self.headers}\n{body.decode('utf-8', 'replace')}")
                status, headers, text = answer(self)
                data = text.encode()
                self.send_response(status)
                for name, value in {"content-type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer((address, 0), Handler)
        self.url = f"http://{address}:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def redirecting(status: int, other: Host):
    """Sends every call to another host."""
    return lambda request: (status, {"location": other.url + request.path}, "")


def echoing(status: int):
    """Refuses, and repeats in its answer whatever it was sent."""

    def answer(request):
        sent = request.headers.get("authorization", "")
        error = {"type": "unauthorized", "message": f"Not {sent}!", "code": sent, "param": sent}
        return status, {"x-request-id": sent[-80:], "x-echo": sent}, json.dumps({"error": error})

    return answer


def echoing_text(status: int):
    """Refuses with a page that repeats whatever it was sent."""
    return lambda request: (status, {"content-type": "text/html"}, f"<p>{request.headers.get('authorization')}</p>")


def sending_bytes_to(other: Host):
    """Opens sessions whose bytes go to another host, which has them sent on to a third place."""

    def answer(request):
        if request.command == "POST" and request.path == "/v1/files":
            return 200, {}, json.dumps({
                "id": "fil_1", "filename": "a.txt", "mimeType": "text/plain", "sizeBytes": 6, "status": "PENDING",
                "createdAt": "2026-04-08T11:00:00.000Z", "expiresAt": "2099-04-08T12:00:00.000Z",
                "completedAt": None, "uploadUrl": other.url + "/bytes?signature=1",
                "uploadHeaders": {"content-type": "text/plain"}})
        return 500, {"x-should-retry": "false"}, json.dumps({"error": {"type": "internal_server_error", "message": "no"}})

    return answer
