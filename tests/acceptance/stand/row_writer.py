"""A client that commits rows while a cluster is changed under it."""
import threading

from stand.processes import eventually


class RowWriter:
    """Past any proxy, into `written` on the first node, one row after the other until stop()."""

    def __init__(self, stand):
        self.errors, self.written = [], 0
        self._stand, self._stopping = stand, threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self):
        try:
            with self._stand.superuser(0, "tests") as server:
                while not self._stopping.wait(0.002):
                    server.run("insert into written values (1)")
                    self.written += 1
        except Exception as error:  # Any: no change of the cluster may make a writer fail.
            self.errors.append(error)

    def goes_on(self):
        before = self.written
        eventually(lambda: self.written > before + 5 or self.errors, 20, "the writer goes on")

    def stop(self):
        self._stopping.set()
        self._thread.join()
