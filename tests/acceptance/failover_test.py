#!/usr/bin/python3
"""32 writers through the death of one primary after the other, with quorum replication: every acknowledged row is there exactly
once, what is not known is called unknown, and everybody keeps the connection that he has: E3, E10, E20, E21, E25, E27."""
import signal
import sys
import unittest

import wire
from stand import roles
from stand.open import is_long, only_proxied, run_program
from stand.processes import eventually, is_alive
from writers import TABLE, UNKNOWN, Writers

STAND = None
WRITERS = 32
ROUNDS = 20 if is_long() else 3


def kill(index):
    pid = STAND.node_pid(index)
    STAND.signal_node(index, signal.SIGKILL)
    eventually(lambda: not is_alive(pid), 10, "the primary is gone")


@only_proxied
class Failover(unittest.TestCase):
    def setUp(self):
        with wire.Connection.login(STAND.address) as client:
            client.run(f"drop table if exists {TABLE}; create table {TABLE} (writer int not null, n int not null)")
        roles.demand_quorum(STAND)
        self.primary = 0

    def fail_over(self):
        """The most advanced replica takes over, the other one follows it, and the dead one is cloned anew."""
        dead, candidates = self.primary, [index for index in range(3) if index != self.primary]
        roles.wait_for_replicas(STAND, dead, 2)
        kill(dead)
        new = roles.most_advanced(STAND, candidates)
        roles.promote(STAND, new)
        [other] = set(candidates) - {new}
        roles.follow(STAND, other, new)
        self.primary = new
        return dead

    def test_no_acknowledged_row_is_lost_and_none_is_there_twice(self):
        writers = Writers(STAND.address, WRITERS)
        try:
            for _ in range(ROUNDS):
                self.go_on(writers)
                dead = self.fail_over()
                self.go_on(writers)
                roles.clone(STAND, dead, self.primary)
        finally:
            writers.stop()
        self.report(writers)
        with STAND.superuser(self.primary, "tests") as primary:
            rows = [(int(number), int(n)) for number, n in primary.run(f"select writer, n from {TABLE}")]
        self.assertEqual(writers.check(rows), [])
        self.assertEqual([writer.logins for writer in writers.all], [1] * WRITERS, "nobody has to connect again")

    def go_on(self, writers):
        before = writers.acknowledged()
        try:
            eventually(lambda: writers.findings() or writers.have_gone_on_since(before), 60, "every writer goes on")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.situation(writers, before)}") from None
        self.assertEqual(writers.findings(), [])

    def situation(self, writers, before):
        stuck = [writer.number for writer, then in zip(writers.all, before) if len(writer.acknowledged) == then]
        with STAND.superuser(self.primary) as primary:
            waits = primary.run("select wait_event, count(*) from pg_stat_activity where usename = 'tester' group by 1")
            replicas = primary.run("select application_name, state, sync_state from pg_stat_replication")
        return f"stuck: {stuck}; on the primary: {waits}; its replicas: {replicas}; Fairlead says:\n{STAND.log()}"

    def report(self, writers):
        told = [code for writer in writers.all for code in writer.told]
        counts = {code: told.count(code) for code in sorted(set(told))}
        print(f"\n{ROUNDS} primaries died: {sum(writers.acknowledged())} rows acknowledged; told: {counts}", flush=True)
        self.assertIn(UNKNOWN, counts, "no primary died with a commit under way: that proves nothing")


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=2, database={"pool_size": 40})
