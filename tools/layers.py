#!/usr/bin/python3
"""Holds src/ to its layers: which folder may include which, and what pure folders never touch.

The folder table is FAIRLEAD_ALLOWED_* of cmake/fairlead.cmake, the one that the linker obeys too; the rules
for libraries, the system and clocks stand below. Prints file:line, the rule and what to do; exits 1.

    tools/layers.py [--root DIR]
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

PURE = {"base", "wire", "auth", "sql", "config", "metrics", "core", "ledger", "console", "patroni"}


@dataclass(frozen=True)
class Library:
    """A third-party library: the headers that it is known by, and the folders that may include them."""

    name: str
    pattern: str
    folders: frozenset
    instead: str


def library(name, pattern, folders, instead):
    return Library(name, pattern, frozenset(folders.split()), instead)


# The first pattern that matches decides. Whatever matches none and is no C++ or system header is refused,
# so a new library needs a row here.
LIBRARIES = [
    library("Boost.JSON", r"boost/json", "patroni cluster load admin app", "build JSON in admin/ or load/"),
    library("libev", r"ev\.h|ev\+\+\.h", "net", "use the wrappers of src/net"),
    library("liburing", r"liburing\.h", "net", "send by net/outbox.h"),
    library("Boost (Beast)", r"boost/", "net", "use the wrappers of src/net"),
    library("OpenSSL's TLS", r"openssl/(ssl|bio|tls1)\.h", "net", "use net/tls.h"),
    library("OpenSSL", r"openssl/", "auth net", "use the functions of src/auth/crypto.h"),
    library("libpg_query", r"pg_query|protobuf", "sql", "ask src/sql for the facts of a statement"),
    library("toml++", r"toml\+\+/", "config", "read values from config::Config"),
    library("CLI11", r"CLI/", "app", "parse flags in src/app and pass values"),
    library("prometheus-cpp", r"prometheus/", "metrics admin", "count in a plain struct and expose it"),
    library("spdlog", r"spdlog/", "base", "log through base/log.h"),
    library("libpq", r"(libpq-fe|postgres_ext|pg_config)\.h", "cluster load app",
            "the daemon speaks PostgreSQL through src/wire and src/proxy"),
    library("libsystemd", r"systemd/", "app", "tell systemd from src/app"),
    library("fmt", r"fmt/", "base wire sql config metrics auth ledger patroni net cluster load proxy admin app",
            "core has no third-party code: put texts together with std::string"),
    library("GoogleTest", r"(gtest|gmock)/", "", "include it from _test.cc files and testing headers only"),
    library("Google Benchmark", r"benchmark/", "", "benchmarks live in bench/"),
]

SYSTEM_ONLY_IMPURE = re.compile(
    r"(sys|netinet|arpa|linux)/.*|csignal|ctime"
    r"|(unistd|fcntl|poll|signal|netdb|pthread|dirent|spawn|termios|time|pwd|grp)\.h"
    r"|thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token"
    r"|fstream|filesystem|iostream|random"
)

IMPURE_CALLS = [
    (re.compile(r"\b(steady_clock|system_clock|high_resolution_clock|utc_clock)\s*::\s*now\b|\bsystem_clock\b"),
     "asks a clock", "take a Time as a parameter (base/time.h)"),
    (re.compile(r"(?<![\w.>:])(?:std::|::)?(time|clock|gettimeofday|clock_gettime)\s*\("),
     "asks a clock", "take a Time as a parameter (base/time.h)"),
    (re.compile(r"(?<![\w.>:])(?:std::|::)?s?rand(om)?\s*\(|\brandom_device\b|\bmt19937|\bRAND_(priv_)?bytes\b"),
     "makes randomness", "take the random bytes as a parameter"),
    (re.compile(r"(?<![\w.>:])(?:std::|::)?(getenv|secure_getenv|fopen|socket|popen|system)\s*\("),
     "reaches the outside", "take what it answers as a parameter, or a function that asks"),
]

# What breaks a rule and may, each with its reason.
EXCEPTIONS = {
    "base/assert.cc": {"iostream": "the last words before abort"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
ALLOWED_ROW = re.compile(r"^set\(FAIRLEAD_ALLOWED_(\w+)\s+([^)]*)\)", re.MULTILINE)


@dataclass(frozen=True)
class Violation:
    path: str
    line: int
    rule: str
    advice: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}\n    what to do: {self.advice}"


def read_table(root):
    """Which folders each folder may include, itself not named."""
    text = (root / "cmake/fairlead.cmake").read_text()
    table = {name: set(names.replace('"', "").split()) for name, names in ALLOWED_ROW.findall(text)}
    if not table:
        raise SystemExit("layers: found no FAIRLEAD_ALLOWED_* in cmake/fairlead.cmake")
    return table


def without_comments_and_strings(text):
    """The text with comments and literals blanked, line for line, so that words in them accuse nobody."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
    # A digit separator (10'000) is no character literal.
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", text)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def is_for_tests(path):
    return path.stem.endswith(("_test", "_fuzz", "_fixture")) or "testing" in path.stem


class Checker:
    def __init__(self, root):
        self.root = root
        self.table = read_table(root)
        self.violations = []

    def check_tree(self):
        src = self.root / "src"
        files = sorted(p for p in src.rglob("*") if p.suffix in (".h", ".cc"))
        for path in files:
            self.check_text(path.relative_to(src), path.read_text())
        return len(files)

    def check_text(self, relative, text):
        folder = relative.parts[0]
        if folder not in self.table:
            self.report(relative, 1, f"src/{folder} is not in the layer table",
                        "add FAIRLEAD_ALLOWED_" + folder + " to cmake/fairlead.cmake, left to right")
            return
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match.group(1) == '"':
                self.check_own(relative, number, folder, match.group(2))
            elif match:
                self.check_library(relative, number, folder, match.group(2))
        if folder in PURE and not is_for_tests(relative):
            self.check_calls(relative, text)

    def check_own(self, relative, number, folder, header):
        target = header.split("/")[0]
        if header.startswith(".") or "/" not in header or target not in self.table:
            self.report(relative, number, f'"{header}" is not written from src/',
                        f'write the folder too, such as "{folder}/{Path(header).name}"')
        elif target != folder and target not in self.table[folder]:
            allowed = ", ".join(sorted(self.table[folder])) or "nothing"
            self.report(relative, number, f"src/{folder} may not include src/{target} (it may include: {allowed})",
                        "move the code to the layer that may, or pass the value in from there")

    def check_library(self, relative, number, folder, header):
        tests = is_for_tests(relative)
        for row in LIBRARIES:
            if not re.match(row.pattern, header):
                continue
            for_tests_too = not row.folders and tests
            if folder not in row.folders and not for_tests_too:
                where = ", ".join("src/" + f for f in sorted(row.folders)) or "tests"
                self.report(relative, number, f"{row.name} is included only in {where}, not in src/{folder}",
                            row.instead)
            return
        if "/" in header and not SYSTEM_ONLY_IMPURE.fullmatch(header):
            self.report(relative, number, f"<{header}> is of a library that has no row in tools/layers.py",
                        "add a row to LIBRARIES with the folders that may include it")
        if folder in PURE and not tests and SYSTEM_ONLY_IMPURE.fullmatch(header):
            if header not in EXCEPTIONS.get(str(relative), {}):
                self.report(relative, number, f"src/{folder} is pure and may not include <{header}>",
                            "pass in what it would ask for; input and output belong to net/, proxy/ and cluster/")

    def check_calls(self, relative, text):
        for number, line in enumerate(without_comments_and_strings(text).splitlines(), 1):
            for pattern, what, advice in IMPURE_CALLS:
                match = pattern.search(line)
                if match:
                    rule = f"src/{relative.parts[0]} is pure and {what}: {match.group(0).strip()}"
                    self.report(relative, number, rule, advice)

    def report(self, relative, number, rule, advice):
        self.violations.append(Violation(f"src/{relative}", number, rule, advice))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    checker = Checker(parser.parse_args().root)
    count = checker.check_tree()
    for violation in checker.violations:
        print(violation)
    if count == 0:
        print("layers: no files under src/")
    print(f"layers: {count} files, {len(checker.violations)} violations")
    return 1 if checker.violations or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
