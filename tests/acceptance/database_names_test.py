#!/usr/bin/python3
"""Databases under other names than the server's: each name has its own cluster and pool, whatever they share behind it."""
import concurrent.futures
import contextlib
import dataclasses
import os
import signal
import sys
import threading
import unittest

import wire
from stand.interceptor import Leaver
from stand.open import only_proxied, run_program
from stand.plain import PlainPostgres
from stand.processes import eventually
from stand.proxied import ProxiedServer

STAND = None
POOL_SIZE = 2
# What clients call it, and the server that they must find behind it. There it is always called "tests".
NAMES = {"tests": "first", "alias": "first", "other_alias": "first", "elsewhere": "second"}
CLIENTS_EACH = 12
QUESTIONS = 100
LAST_QUESTIONS = 10


class NamesStand(ProxiedServer):
    def __init__(self, binary):
        self._second = None
        super().__init__(binary)
        try:
            self._second = PlainPostgres(password=self.password)
            for server, name in ((self, "first"), (self._second, "second")):
                with server.superuser("tests") as client:
                    client.run(f"create table here as select '{name}'::text as name; grant select on here to tester")
            self.proxy = self.add_proxy(sections=self._sections())
        except BaseException:
            self.stop()
            raise

    def _sections(self):
        sections = {"cluster.second": {"nodes": [f"127.0.0.1:{self._second.address.port}"], **self.monitor()}}
        for name, server in {**NAMES, "moving": "second"}.items():
            cluster = "main" if server == "first" else "second"
            sections[f"database.{name}"] = {
                "cluster": cluster, "database": "tests", "pool_size": POOL_SIZE, "pool_timeout": "30s",
            }
        return sections

    def login(self, name):
        return wire.Connection.login(dataclasses.replace(self.proxy.address, database=name))

    def stop(self):
        try:
            super().stop()
        finally:
            if self._second is not None:
                self._second.stop()


@only_proxied
class Names(unittest.TestCase):
    def test_servers_that_move_between_workers_stay_with_their_name(self):
        wrong = []

        def work(name, server):
            try:
                with STAND.login(name) as client:
                    for n in range(QUESTIONS):
                        got = client.prepared("select $1::int, name, current_database() from here", n)
                        if got != [(str(n), server, "tests")]:
                            raise AssertionError(f"{name}: {got}")
            except Exception as error:  # Reported below: a thread has nobody to raise to.
                wrong.append(error)

        threads = [threading.Thread(target=work, args=pair) for pair in list(NAMES.items()) * CLIENTS_EACH]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_servers_that_end_on_their_way_between_workers_are_lost_and_nothing_else(self):
        leaver = Leaver(STAND.address.port, "the last of it")
        self.addCleanup(leaver.stop)
        proxy = STAND.add_proxy(nodes=[{"host": "127.0.0.1", "port": leaver.port, "role": "primary"}],
                                sections={"database": {"pool_size": 1, "pool_timeout": "30s"}})

        def work():
            with wire.Connection.login(proxy.address) as client:
                answers = [client.query("select 'the last of it'") for _ in range(LAST_QUESTIONS)]
            return [answer.rows or answer.errors[0]["C"] for answer in answers]

        with concurrent.futures.ThreadPoolExecutor(CLIENTS_EACH) as pool:
            done = [pool.submit(work) for _ in range(CLIENTS_EACH)]
        answers = sum((one.result() for one in done), [])
        self.assertIn([("the last of it",)], answers)
        # Whoever gets a server in that moment has his statement sent to it.
        self.assertEqual([answer for answer in answers if answer not in ("08006", [("the last of it",)])], [])

    def test_the_pool_of_one_name_is_not_the_pool_of_another(self):
        with contextlib.ExitStack() as stack:
            for _ in range(POOL_SIZE):
                stack.enter_context(STAND.login("alias")).run("begin; select 1")
            self.assertEqual(stack.enter_context(STAND.login("other_alias")).value("select name from here"), "first")

    def test_a_reload_changes_what_the_name_of_the_clients_says(self):
        with STAND.login("elsewhere") as client:
            client.run("select 1")
            self.reload("elsewhere", 'pool_timeout = "30s"', 'pool_timeout = "300ms"')
            holders = [STAND.login("elsewhere") for _ in range(POOL_SIZE)]
            for holder in holders:
                holder.run("begin; select 1")
            self.assertEqual(client.query("select 1").errors[0]["C"], "53300")
            for holder in holders:
                self.assertEqual(holder.value("select name from here"), "second")
                holder.close()

    def test_a_reload_moves_new_sessions_to_another_cluster_and_leaves_those_that_are_there(self):
        """On both workers: two clusters under one name at a time would take writes apart."""
        with contextlib.ExitStack() as stack:
            old = [stack.enter_context(STAND.login("moving")) for _ in range(8)]
            self.assertEqual({client.value("select name from here") for client in old}, {"second"})
            self.reload("moving", 'cluster = "second"', 'cluster = "main"')
            new = [stack.enter_context(STAND.login("moving")) for _ in range(8)]
            self.assertEqual({client.value("select name from here") for client in new}, {"first"})
            self.assertEqual({client.value("select name from here") for client in old}, {"second"})
            self.reload("moving", 'database = "tests"', 'database = "postgres"')
            newest = [stack.enter_context(STAND.login("moving")) for _ in range(8)]
            self.assertEqual({client.value("select current_database()") for client in newest}, {"postgres"})
            self.assertEqual({client.value("select current_database()") for client in new}, {"tests"})

    def test_a_name_that_a_reload_took_away_has_no_servers_kept_ready(self):
        with STAND.superuser() as server:
            server.run("create database departed")
            proxy = STAND.add_proxy(sections={"proxy": {"min_servers": 1, "server_idle_timeout": "100ms"},
                                              "database.leaving": {"cluster": "main", "database": "departed"}})
            count = "select count(*) from pg_stat_activity where usename = 'tester' and datname = 'departed'"
            with wire.Connection.login(dataclasses.replace(proxy.address, database="leaving")) as client:
                client.run("select 1")
                with open(proxy.config, encoding="utf-8") as file:
                    before, _ = file.read().split("[database.leaving]")
                with open(proxy.config, "w", encoding="utf-8") as file:
                    file.write(before)
                os.kill(proxy.pid, signal.SIGHUP)
                eventually(lambda: "reload: database.leaving" in proxy.whole_log(), 10, "the reload is done")
                self.assertEqual(client.value("select current_database()"), "departed")
            eventually(lambda: server.value(count) == "0", 10, "no server is left there")

    def reload(self, name, old, new):
        with open(STAND.proxy.config, encoding="utf-8") as file:
            before, section = file.read().split(f"[database.{name}]\n")
        self.assertIn(old, section)
        with open(STAND.proxy.config, "w", encoding="utf-8") as file:
            file.write(f"{before}[database.{name}]\n{section.replace(old, new, 1)}")
        key = old.split(" ", maxsplit=1)[0]
        os.kill(STAND.proxy.pid, signal.SIGHUP)
        eventually(lambda: f"reload: database.{name}.{key}" in STAND.proxy.whole_log(), 10, "the reload is done")


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=NamesStand)
