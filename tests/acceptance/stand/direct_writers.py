"""Sessions that write past any proxy while something is done to their cluster."""
import threading

from stand.processes import eventually


class DirectWriters:
    """One for each statement, which it runs on the first node again and again for as long as the `with` block lasts. Nothing
    that is done to the cluster may make one of them fail: the end of the block raises what one was told."""

    def __init__(self, stand, *statements, pause=0.0):
        """`pause`: seconds between two statements."""
        self._stand, self._pause = stand, pause
        self._errors, self._done, self._end = [], [0] * len(statements), threading.Event()
        self._threads = [threading.Thread(target=self._write, args=pair) for pair in enumerate(statements)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()
        if kind is None and self._errors:
            raise self._errors[0]

    def _write(self, index, statement):
        try:
            with self._stand.superuser(0, "tests") as server:
                while not self._end.wait(self._pause):
                    server.run(statement)
                    self._done[index] += 1
        except Exception as error:  # Whatever it is, it is a finding.
            self._errors.append(error)

    def go_on(self):
        """Until each has been answered a few times more; until now, if one has failed."""
        wanted = [done + 5 for done in self._done]

        def have_gone_on():
            return self._errors or all(done >= enough for done, enough in zip(self._done, wanted))
        eventually(have_gone_on, 20, "the writers go on")


def row_writer(stand):
    """One that commits row after row to the table `written`, and leaves the machine to others between them."""
    return DirectWriters(stand, "insert into written values (1)", pause=0.002)
