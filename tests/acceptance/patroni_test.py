#!/usr/bin/python3
"""topology = "patroni" with the real Patroni and etcd: members found and lost, leaders that die, change, hang or have no store, and
REST addresses that lie. No write reaches a node that is not the leader, and the writers go on: E1, E2, E8, E31-E33."""
import datetime
import os
import shutil
import signal
import sys
import time
import unittest

import wire
from stand import meddler
from stand.meddler import Meddler
from stand.open import only_proxied, run_program
from stand.patroni import PatroniCluster
from stand.processes import eventually
from stand.proxy import Proxy
from stand.writers import Writers

STAND = None


class ManagedCluster(PatroniCluster):
    """Three members behind meddlers who do nothing yet; the third is not for reads; a proxy that knows the REST addresses only."""

    def __init__(self, binary):
        self._proxy, self.meddlers = None, []
        super().__init__(binary, tags={2: {"noloadbalance": True}})
        try:
            self.meddlers = [Meddler(url) for url in self.urls()]
            sections = {
                "cluster": {
                    "nodes": [], "topology": "patroni", "patroni_urls": [one.url for one in self.meddlers],
                    "patroni_interval": "500ms", "patroni_timeout": "1s", "patroni_ttl": "20s", "patroni_scope": "shop",
                },
                "database": {"failover_hold": "80s", "consistency": "eventual"},
            }
            self._proxy = Proxy(self, sections)
        except BaseException:
            self.stop()
            raise
        self.address = self._proxy.address
        Writers.make_table(self.address)

    def log(self):
        return self._proxy.whole_log()

    def stop(self):
        try:
            if self._proxy is not None:
                self._proxy.stop()
        finally:
            for one in self.meddlers:
                one.stop()
            super().stop()


def node_of(client, statement="select count(*) from ledger"):
    client.run(statement)
    return client.run("show fairlead.last_route")[0][1]


def name_of(index):
    return f"127.0.0.1:{STAND.members[index].port}"


@only_proxied
class Patroni(unittest.TestCase):
    def setUp(self):
        STAND.wait_until_whole()
        with wire.Connection.login(STAND.address, timeout=90) as client:
            client.run("truncate ledger")

    def tearDown(self):
        for one in STAND.meddlers:
            one.meddle = None

    def check_nothing_lost(self, writers):
        with wire.Connection.login(STAND.address, STAND.address.primary_port, timeout=90) as client:
            self.assertEqual(writers.missing_or_double(client), [], (writers.errors, STAND.log()[-3000:]))
        for index in range(3):  # On the nodes themselves, once they have all of it.
            def is_whole(index=index):
                try:
                    with STAND.superuser(index, "tests") as server:
                        return not writers.missing_or_double(server)
                except (OSError, wire.ServerError, wire.Closed):
                    return False
            eventually(is_whole, 60, f"member {index + 1} has what was acknowledged")

    def test_members_are_found_and_the_one_that_is_not_for_reads_gets_none(self):
        leader = STAND.leader()
        with wire.Connection.login(STAND.address, timeout=30) as client:
            client.run("insert into ledger values (0, inet_server_port())")
            self.assertEqual(client.run("show fairlead.last_route")[0][1], name_of(leader))
            readers = [name_of(index) for index in range(3) if index not in (leader, 2)]
            for _ in range(20):
                self.assertIn(node_of(client), readers)
        self.assertIn("noloadbalance", STAND.log())

    def test_a_member_that_is_added_serves_reads_and_one_that_is_removed_is_forgotten(self):
        def readers():
            seen = set()
            for _ in range(12):
                with wire.Connection.login(STAND.address, timeout=30) as client:
                    seen.add(node_of(client))
            return seen
        index = STAND.add_member()
        name = name_of(index)
        try:
            with Writers(STAND.address) as writers:
                eventually(lambda: name in readers(), 90, "the new member serves reads")
                before = len(STAND.log())
                STAND.remove_member(index)
                eventually(lambda: f"{name} is down, not used for reads: is not in the list" in STAND.log()[before:], 60,
                           "the member is forgotten")
                self.assertNotIn(name, readers())
                writers.wait_for_more()
            self.assertEqual(sum(writers.errors.values()) + len(writers.unknown), 0, writers.errors)
        finally:
            if index < len(STAND.members):
                STAND.remove_member(index)

    def test_a_switchover_loses_nothing(self):
        leader = STAND.leader()
        target = eventually(self.sync_standby, 60, "there is a synchronous standby")[0]
        with Writers(STAND.address) as writers:
            writers.wait_for_more()
            STAND.ctl("switchover", "--master", STAND.members[leader].name, "--candidate", STAND.members[target].name,
                      "--force", "shop")
            eventually(lambda: STAND.leader() == target, 60, "the other member leads")
            writers.wait_for_more()
        self.check_nothing_lost(writers)

    def test_a_switchover_that_is_scheduled_is_seen_by_nobody(self):
        leader, before = STAND.leader(), len(STAND.log())
        target = eventually(self.sync_standby, 60, "there is a synchronous standby")[0]
        with Writers(STAND.address) as writers:
            writers.wait_for_more()
            at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=12)
            STAND.ctl("switchover", "--master", STAND.members[leader].name, "--candidate", STAND.members[target].name,
                      "--scheduled", at.isoformat(timespec="seconds"), "--force", "shop")
            eventually(lambda: STAND.leader() == target, 60, "the other member leads")
            writers.wait_for_more()
        self.assertEqual(sum(writers.errors.values()) + len(writers.unknown), 0, (writers.errors, writers.unknown))
        self.assertIn("writes are held", STAND.log()[before:])
        self.check_nothing_lost(writers)

    def sync_standby(self):
        answer = STAND.members[0].ask("/cluster") or {"members": []}
        names = [member["name"] for member in answer["members"] if member["role"] == "sync_standby"]
        return [index for index, member in enumerate(STAND.members) if member.name in names]

    def test_a_leader_that_dies_is_replaced(self):
        eventually(self.sync_standby, 60, "there is a synchronous standby")
        leader = STAND.leader()
        with Writers(STAND.address) as writers:
            writers.wait_for_more()
            STAND.members[leader].kill()
            STAND.wait_for_leader(80, other_than=leader)
            writers.wait_for_more()
            STAND.members[leader].start()
            STAND.wait_until_whole()
            writers.wait_for_more()
        self.check_nothing_lost(writers)

    def test_a_leader_whose_patroni_hangs_gets_no_write_once_another_one_leads(self):
        eventually(self.sync_standby, 60, "there is a synchronous standby")
        leader = STAND.leader()
        member = STAND.members[leader]
        with Writers(STAND.address) as writers:
            writers.wait_for_more()
            member.process.send_signal(signal.SIGSTOP)
            try:
                # Its server accepts writes all the time: nobody is there to stop it.
                STAND.wait_for_leader(80, other_than=leader)
                writers.wait_for_more()
                with STAND.superuser(leader, "tests") as old:
                    self.assertEqual(old.value("select pg_is_in_recovery()"), "f")
                    last = old.value("select max(at) from ledger")
                    writers.wait_for_more()
                    self.assertEqual(old.value("select max(at) from ledger"), last)
            finally:
                member.process.send_signal(signal.SIGCONT)
            STAND.wait_until_whole()
        self.check_nothing_lost(writers)

    def test_without_a_store_the_leader_steps_down_and_writes_wait_for_it(self):
        with Writers(STAND.address) as writers:
            writers.wait_for_more()
            STAND.etcd.kill()
            try:
                eventually(lambda: STAND.leader() is None, 60, "nobody leads")
                written = len(writers.acknowledged)
                with wire.Connection.login(STAND.address, timeout=30) as client:
                    for _ in range(20):  # Reads go on.
                        client.run("select count(*) from ledger")
                self.assertLessEqual(len(writers.acknowledged), written + 4)
            finally:
                STAND.etcd.start()
            STAND.wait_for_leader(80)
            writers.wait_for_more(timeout=90)
        self.check_nothing_lost(writers)

    def test_while_patroni_is_paused_the_primary_goes_on_even_without_a_store(self):
        STAND.ctl("pause", "--wait", "shop")
        try:
            with Writers(STAND.address) as writers:
                writers.wait_for_more()
                STAND.etcd.kill()
                try:
                    time_of_all_words = 22  # patroni_ttl, and a bit: then nothing that was heard is new.
                    deadline = time.monotonic() + time_of_all_words
                    while time.monotonic() < deadline:
                        writers.wait_for_more(20)
                finally:
                    STAND.etcd.start()
                writers.wait_for_more()
        finally:
            eventually(self.resume, 60, "Patroni is resumed")
        self.check_nothing_lost(writers)
        self.assertEqual(sum(writers.errors.values()), 0, writers.errors)

    @staticmethod
    def resume():
        try:
            return STAND.ctl("resume", "--wait", "shop") or True
        except RuntimeError:
            return False

    def test_an_address_that_lies_changes_nothing(self):
        eventually(self.sync_standby, 60, "there is a synchronous standby")
        leader = STAND.leader()
        liar = STAND.meddlers[(leader + 1) % 3]
        lies = {
            "another leader": meddler.changed(meddler.another_leader), "unknown": meddler.changed(meddler.unknown),
            "half": meddler.half_written, "types": meddler.changed(meddler.of_wrong_types),
            "nothing": lambda *_: (500, "", b""), "html": lambda *_: (200, "", b"<html></html>"),
            "no members": meddler.changed(lambda answer: answer["members"].clear()),
            "a member is missing": meddler.changed(lambda answer: answer["members"].pop(0)),
        }
        with Writers(STAND.address) as writers:
            for what, lie in lies.items():
                with self.subTest(what):
                    liar.meddle, asked = lie, liar.asked
                    eventually(lambda asked=asked: liar.asked > asked + 6, 30, "it was asked several times")
                    writers.wait_for_more()
                    self.assertEqual(STAND.leader(), leader)
            liar.meddle = None
        self.check_nothing_lost(writers)
        self.assertEqual(sum(writers.errors.values()), 0, writers.errors)

    def test_who_repeats_what_was_true_once_is_outvoted_by_who_knows(self):
        for make in (meddler.stale, meddler.stale_with_new_dates):
            with self.subTest(make.__name__):
                self.setUp()
                eventually(self.sync_standby, 60, "there is a synchronous standby")
                leader = STAND.leader()
                with Writers(STAND.address) as writers:
                    writers.wait_for_more()
                    for index in ((leader + 1) % 3, leader):  # Two of three go on saying what is true now.
                        STAND.meddlers[index].meddle = make(STAND.meddlers[index])
                    STAND.members[leader].kill()
                    STAND.wait_for_leader(80, other_than=leader)
                    writers.wait_for_more()
                    STAND.members[leader].start()
                    STAND.wait_until_whole()
                    for one in STAND.meddlers:
                        one.meddle = None
                    writers.wait_for_more()
                self.check_nothing_lost(writers)

    def test_while_the_addresses_contradict_each_other_nobody_gets_a_write(self):
        leader, before = STAND.leader(), len(STAND.log())
        STAND.meddlers[(leader + 1) % 3].meddle = meddler.changed(meddler.another_leader)
        STAND.meddlers[(leader + 2) % 3].meddle = lambda *_: (500, "", b"")
        honest = STAND.meddlers[leader]
        eventually(lambda: "contradict each other" in STAND.log()[before:], 30, "the contradiction is told")
        with Writers(STAND.address) as writers:
            asked = honest.asked
            eventually(lambda: honest.asked > asked + 6, 30, "it was asked again")
            self.assertEqual(writers.acknowledged, [])
            for one in STAND.meddlers:
                one.meddle = None
            writers.wait_for_more()
        self.check_nothing_lost(writers)


if __name__ == "__main__":
    if not shutil.which("patroni") or not shutil.which("etcd"):
        sys.exit("patroni and etcd are not installed: tools/install-packages test")
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    run_program(sys.modules[__name__], make=ManagedCluster)
