#!/usr/bin/python3
"""tools/tidy.py finds what it promises to find."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import tidy  # noqa: E402


def findings(name, text, others=()):
    """What is found in one file, as "line: error|warning: what"; `others` are names of empty files beside it."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for other in others:
            (root / other).parent.mkdir(parents=True, exist_ok=True)
            (root / other).write_text("")
        checker = tidy.Tidy(root)
        checker.check_file(name, text.encode())
        return [f"{f.line}: {'error' if f.is_error else 'warning'}: {f.what}" for f in checker.findings]


def function_of(length, head="int f(int a) {"):
    return "// A file.\n" + head + "\n" + "  a();\n" * (length - 2) + "}\n"


class TidyTest(unittest.TestCase):
    def finds(self, name, text, words, others=()):
        found = findings(name, text, others)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def is_clean(self, name, text, others=()):
        self.assertEqual(findings(name, text, others), [])

    def test_long_files(self):
        self.is_clean("a.cc", "// A.\n" * 400)
        self.finds("a.cc", "// A.\n" * 401, "warning: 401 lines")
        self.finds("a.cc", "// A.\n" * 501, "error: 501 lines")
        self.finds("a.h", "// A.\n#pragma once\n" + "int a;\n" * 249, "warning: 251 lines")

    def test_long_functions(self):
        self.is_clean("a.cc", function_of(70))
        self.finds("a.cc", function_of(71), "2: warning: a function of 71 lines")
        self.finds("a.cc", function_of(101), "error: a function of 101 lines")

    def test_long_functions_of_every_form(self):
        for head in ("Result<int> Pool::take(int a) const {", "void f() noexcept {", "auto f() -> int {",
                     "std::optional<int> f(int a,\n                     int b) {",
                     "task<void> Session::run(Client client, Server server,\n                        int a) {",
                     "  explicit operator bool() const {", "TEST(A, B) {"):
            length = 101 - head.count("\n")
            text = function_of(length, head).replace("\n}\n", "\n  }\n" if head.startswith("  ") else "\n}\n")
            self.finds("a.cc", text, "error: a function of 101 lines")

    def test_types_and_tables_are_no_functions(self):
        for head in ("class A : public B {", "namespace a {", "constexpr std::array kRows{", "enum class A {"):
            self.is_clean("a.cc", function_of(120, head))

    def test_long_lines(self):
        self.is_clean("a.cc", "// A.\n" + "x" * 100 + "\n")
        self.finds("a.cc", "// A.\n" + "x" * 101 + "\n", "2: error: 101 columns")
        self.is_clean("a.cc", '// A.\nauto q = R"sql(\n' + "x" * 150 + '\n)sql";\n')
        self.is_clean("a.cc", '// A.\nf("' + "x" * 150 + '");\n')
        self.is_clean("a.md", "# A\n" + "x" * 300 + "\n")

    def test_unfinished_work_needs_a_reason(self):
        self.finds("a.cc", "// A.\n// TODO: later\n", "2: error: TODO without a reason")
        self.finds("a.py", "# FIXME\n", "FIXME without a reason")
        self.is_clean("a.cc", "// A.\n// TODO(PostgreSQL 19): use WAIT FOR\n")

    def test_names_that_say_nothing(self):
        for name in ("PoolManager", "StringHelper", "NetUtil", "StreamImpl", "SessionContext"):
            self.finds("a.cc", f"// A.\nclass {name} {{}};\n", "says nothing")
        self.finds("a.cc", "// A.\nenum class FooContext {};\n", "says nothing")
        self.finds("string_utils.cc", "// A.\n", "says nothing")
        self.is_clean("a.cc", "// A.\nvoid f(struct ev_loop* events);\nclass Implicit {};\n// class FooManager\n")

    def test_every_file_says_what_it_is(self):
        self.finds("src/a.h", "#pragma once\n", "does not say at its top")
        self.finds("src/a.cc", "int a;\n", "does not say at its top")
        self.is_clean("src/a.cc", '#include "a.h"\n', others=["src/a.h"])
        self.is_clean("src/a_test.cc", "int a;\n")

    def test_headers_are_included_once(self):
        self.finds("a.h", "// A.\nint a;\n", "#pragma once")

    def test_markdown_has_one_title(self):
        self.is_clean("a.md", "# A\n\n## B\n\n```\n# a comment in a shell\n```\n")
        self.finds("a.md", "A\n\n# A\n", "begin with its title")
        self.finds("a.md", "# A\n\n# B\n", "a second title")

    def test_large_files_stay_out(self):
        self.finds("a.bin", "\0" * (tidy.BLOB_CAP + 1), "KiB is more than")
        self.is_clean("web/dist/app.js", "x" * (tidy.BLOB_CAP + 1))

    def test_ends_of_lines(self):
        self.finds("a.cc", "// A. \n", "space at the end")
        self.finds("a.cc", "// A.", "does not end")


if __name__ == "__main__":
    unittest.main()
