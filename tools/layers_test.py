#!/usr/bin/python3
"""tools/layers.py refuses what it should, and accepts the tree as it is."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import layers  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


def check(path, text):
    """The violations of one file below src/, as "path:line rule", under the real layer table."""
    checker = layers.Checker(ROOT)
    checker.check_text(Path(path), text)
    return [f"{v.path}:{v.line} {v.rule}" for v in checker.violations]


class Layers(unittest.TestCase):
    def refuses(self, path, text, words, line=1):
        found = check(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(f"src/{path}:{line} ", found[0])
        self.assertIn(words, found[0])

    def accepts(self, path, text):
        self.assertEqual(check(path, text), [])

    def test_the_tree_keeps_its_layers(self):
        checker = layers.Checker(ROOT)
        self.assertGreater(checker.check_tree(), 10)
        self.assertEqual([str(v) for v in checker.violations], [])

    def test_a_folder_includes_what_stands_left_of_it(self):
        self.accepts("core/a.h", '#include "wire/frame.h"\n#include "core/b.h"\n#include "base/lsn.h"\n')
        self.accepts("proxy/a.cc", '#include "net/loop.h"\n')

    def test_a_folder_never_includes_what_stands_right_of_it(self):
        self.refuses("core/a.h", '#pragma once\n#include "proxy/session.h"\n', "src/core may not include src/proxy", 2)
        self.refuses("base/a.h", '#include "wire/frame.h"\n', "src/base may not include src/wire")
        self.refuses("net/a.h", '#include "wire/frame.h"\n', "src/net may not include src/wire")

    def test_proxy_includes_neither_admin_nor_cluster(self):
        self.refuses("proxy/a.cc", '#include "admin/console.h"\n', "may not include src/admin")
        self.refuses("proxy/a.cc", '#include "cluster/plan.h"\n', "may not include src/cluster")

    def test_tests_keep_the_order_of_folders_too(self):
        self.refuses("core/a_test.cc", '#include "net/loop.h"\n', "may not include src/net")

    def test_includes_are_written_from_src(self):
        self.refuses("core/a.cc", '#include "lag.h"\n', "is not written from src/")
        self.refuses("core/a.cc", '#include "../wire/frame.h"\n', "is not written from src/")

    def test_a_folder_without_a_row_is_refused(self):
        self.refuses("utils/a.h", "int a;\n", "not in the layer table")

    def test_libev_liburing_and_beast_stay_in_net(self):
        self.accepts("net/a.h", "#include <ev.h>\n")
        self.accepts("net/a.cc", "#include <liburing.h>\n")
        self.refuses("proxy/a.cc", "#include <liburing.h>\n", "only in src/net")
        for folder in ("core", "proxy", "admin", "app"):
            self.refuses(f"{folder}/a.h", "#include <ev.h>\n", "only in src/net")
        self.refuses("admin/a.cc", "#include <boost/beast/http.hpp>\n", "only in src/net")

    def test_json_is_for_those_who_show_it(self):
        self.accepts("admin/a.cc", "#include <boost/json.hpp>\n")
        self.refuses("core/a.cc", "#include <boost/json.hpp>\n", "Boost.JSON")

    def test_openssl_stays_in_auth_and_net_and_tls_in_net(self):
        self.accepts("auth/a.cc", "#include <openssl/evp.h>\n")
        self.accepts("net/a.cc", "#include <openssl/ssl.h>\n")
        self.refuses("auth/a.cc", "#include <openssl/ssl.h>\n", "OpenSSL's TLS")
        self.refuses("proxy/a.cc", "#include <openssl/rand.h>\n", "OpenSSL")

    def test_each_other_library_has_its_folder(self):
        for home, header in (("sql", "pg_query.h"), ("config", "toml++/toml.h"), ("app", "CLI/CLI.hpp"),
                             ("base", "spdlog/spdlog.h"), ("app", "systemd/sd-daemon.h")):
            self.accepts(f"{home}/a.cc", f"#include <{header}>\n")
            self.refuses("proxy/a.cc", f"#include <{header}>\n", "is included only in")

    def test_core_has_no_third_party_code(self):
        self.refuses("core/a.cc", "#include <fmt/format.h>\n", "fmt is included only in")

    def test_a_library_without_a_row_is_refused(self):
        self.refuses("proxy/a.cc", "#include <absl/strings/str_cat.h>\n", "has no row")

    def test_test_libraries_stay_in_tests(self):
        self.accepts("core/a_test.cc", "#include <gtest/gtest.h>\n")
        self.accepts("core/testing.h", "#include <gmock/gmock.h>\n")
        self.refuses("core/a.cc", "#include <gtest/gtest.h>\n", "GoogleTest")

    def test_pure_folders_reach_nothing_outside(self):
        for header in ("thread", "mutex", "fstream", "sys/socket.h", "unistd.h", "random", "filesystem"):
            for folder in sorted(layers.PURE):
                self.refuses(f"{folder}/a.cc", f"#include <{header}>\n", "is pure and may not include")
            self.accepts("net/a.cc", f"#include <{header}>\n")
            self.accepts("core/a_test.cc", f"#include <{header}>\n")

    def test_pure_folders_never_ask_for_the_time(self):
        for call in ("std::chrono::steady_clock::now()", "std::chrono::system_clock::now()", "time(nullptr)",
                     "std::time(nullptr)", "::clock_gettime(CLOCK_MONOTONIC, &t)"):
            self.refuses("core/a.cc", f"\nauto t = {call};\n", "asks a clock", 2)
        self.accepts("net/a.cc", "auto t = std::chrono::steady_clock::now();\n")

    def test_pure_folders_make_no_randomness_and_read_no_environment(self):
        for call in ("rand()", "std::rand()", "std::random_device{}()", "std::mt19937 g;", "RAND_bytes(p, 1)"):
            self.refuses("auth/a.cc", f"auto r = {call};\n", "makes randomness")
        self.refuses("config/a.cc", 'auto v = std::getenv("HOME");\n', "reaches the outside")

    def test_words_in_comments_and_texts_accuse_nobody(self):
        self.accepts("core/a.cc", '// time(nullptr) and rand()\nconst char* s = "system_clock";\n/* getenv(\n x) */\n'
                                  "int n = 10'000; int m = 20'000;\nauto r = R\"(rand())\";\n")
        self.accepts("core/a.cc", "auto t = request.time();\nTime run_time(int);\nint operand(int);\n")


if __name__ == "__main__":
    unittest.main()
