"""Somebody between Fairlead and one of Patroni's REST addresses, who passes real answers on, as they are or changed."""
import email.utils
import http.server
import json
import threading
import urllib.error
import urllib.request


class Meddler:
    """url is what Fairlead is told. `meddle` is one of the functions below, or None: nothing is changed."""

    def __init__(self, target):
        self._target, self.meddle, self.asked = target, None, 0
        meddler = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                meddler.asked += 1
                meddler.answer(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def fetch(self, path):
        """Status, date and body of the real one; OSError when it does not answer."""
        try:
            with urllib.request.urlopen(self._target + path, timeout=10) as real:
                return real.status, real.headers["Date"], real.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Date"], error.read()

    def answer(self, handler):
        try:
            if self.meddle is None:
                status, date, body = self.fetch(handler.path)
            else:
                status, date, body = self.meddle(self, handler.path)
            handler.wfile.write(f"HTTP/1.0 {status} So\r\nDate: {date}\r\n\r\n".encode() + body)
        except OSError:
            pass  # As if nobody were there; or Fairlead has left.

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def changed(change):
    """GET /cluster is changed by `change(answer)`, in place; the rest is as it is."""
    def meddle(meddler, path):
        status, date, body = meddler.fetch(path)
        if path == "/cluster" and status == 200:
            answer = json.loads(body)
            change(answer)
            body = json.dumps(answer).encode()
        return status, date, body
    return meddle


def stale(meddler):
    """What it says now is what it will go on saying, with the dates of now."""
    kept = {path: meddler.fetch(path) for path in ("/cluster", "/patroni", "/history")}
    return lambda _, path: kept[path]


def stale_with_new_dates(meddler):
    """The same, through something that writes its own date on it."""
    kept = stale(meddler)

    def meddle(_, path):
        status, _, body = kept(meddler, path)
        return status, email.utils.formatdate(usegmt=True), body
    return meddle


def half_written(meddler, path):
    status, date, body = meddler.fetch(path)
    return status, date, body[:len(body) // 2]


def another_leader(answer):
    """The lock is said to be somebody else's."""
    roles = [member["role"] for member in answer["members"]]
    for member, role in zip(answer["members"], roles[1:] + roles[:1]):
        member["role"] = role


def unknown(answer):
    """As newer ones say of members that they cannot ask."""
    for member in answer["members"]:
        member.update({name: "unknown" for name in ("receive_lsn", "receive_lag", "replay_lsn", "replay_lag", "lsn", "lag")})
        member.update(state="unknown", timeline=None)


def of_wrong_types(answer):
    for member in answer["members"]:
        member["port"] = str(member.get("port"))
        member["tags"] = []
