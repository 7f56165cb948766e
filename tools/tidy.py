#!/usr/bin/python3
"""The house style that no formatter knows: sizes, names, titles, promises. See CONTRIBUTING.md.

Errors fail; warnings are places to look for a missing name. Looks at every file that git knows or would add.

    tools/tidy.py [--root DIR] [--warnings]
"""

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HEADER_WARN = 250   # Lines; what the code bases that this one learns from stay under.
SOURCE_WARN = 400
FILE_CAP = 500
FUNCTION_WARN = 70
FUNCTION_CAP = 100
LINE_CAP = {".h": 100, ".cc": 100, ".py": 130, ".sh": 120, ".cmake": 140, ".js": 130, ".ts": 130}
BLOB_CAP = 200 * 1024  # Bytes; more belongs into a release, not into the history.

BANNED_SUFFIXES = {
    "Manager": "say what it decides: Pool, Router, Fsm",
    "Helper": "give what it does a name of its own",
    "Helpers": "give what it does a name of its own",
    "Util": "put each function beside what it serves",
    "Utils": "put each function beside what it serves",
    "Impl": "name the variant: SocketStream, FakeClock",
    "Context": "name what it holds: Session, Request, Lease",
}

CPP = {".h", ".cc"}
# Made by other programs, or data: layout and size are not ours to judge.
GENERATED = re.compile(r"^(web/dist/|tests/fuzz/corpus/|.*\.min\.(js|css)$|.*package-lock\.json$)")
BLOBS_ALLOWED = re.compile(r"^(web/dist/|.*package-lock\.json$)")

TYPE_NAME = re.compile(r"\b(?:class|struct|enum(?:\s+class)?|union|concept|using)\s+(\w+)")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(\([^)\s][^)]*\):\s*\S)?")
CONTROL = re.compile(r"^\s*(\}\s*)?(if|else|for|while|switch|do|try|catch|case|default"
                     r"|namespace|class|struct|enum|union|extern)\b")


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    what: str
    advice: str
    is_error: bool = True

    def __str__(self):
        kind = "error" if self.is_error else "warning"
        return f"{self.path}:{self.line}: {kind}: {self.what}\n    what to do: {self.advice}"


def listed_files(root):
    """Relative paths of what git has or would add; everything but build/ where there is no git."""
    try:
        out = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"], check=True,
                             capture_output=True, text=True).stdout
        names = [name for name in out.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()]
        names = [name for name in names if not name.startswith(("build/", ".git/")) and "__pycache__" not in name]
    return sorted(name for name in names if (root / name).is_file())


def functions_in(lines):
    """(first line, length) of each function, told by the layout that clang-format gives: the closing brace stands alone
    below the first line of the definition. Types and namespaces are no functions; lambdas count with theirs."""
    for start, line in enumerate(lines):
        if not re.match(r"^ *\S.*[\w>)\]] *((const|noexcept|override|final|->.*) *){0,3} \{$", line):
            continue
        first = start
        # A definition may stand on several lines: go up to the one that begins it.
        ends = (";", "}", "{", ":")
        while first > 0 and lines[first].startswith("    ") and not lines[first - 1].endswith(ends):
            first -= 1
        head = " ".join(lines[first:start + 1])
        if CONTROL.match(lines[first]) or "(" not in head or re.search(r"=\s*(\{|\[)", head):
            continue
        indent = re.match(r" *", lines[first]).group(0)
        for end in range(start + 1, len(lines)):
            if not lines[end].startswith(indent) and lines[end].strip():
                break  # Outside already: it was no definition.
            if re.match(rf"^{indent}\}}", lines[end]):
                yield first + 1, end - first + 1
                break


def lines_in_raw_strings(text):
    """Line numbers that a raw string covers: SQL, TOML and Markdown are not broken by our rules."""
    covered = set()
    for match in re.finditer(r'R"([^()\\\s]{0,16})\(.*?\)\1"', text, re.DOTALL):
        first = text.count("\n", 0, match.start()) + 1
        covered.update(range(first, first + match.group(0).count("\n") + 1))
    return covered


class Tidy:
    def __init__(self, root):
        self.root = root
        self.findings = []

    def check_tree(self):
        names = listed_files(self.root)
        for name in names:
            self.check_file(name, (self.root / name).read_bytes())
        return len(names)

    def check_file(self, name, data):
        path = Path(name)
        if len(data) > BLOB_CAP and not BLOBS_ALLOWED.match(name):
            self.error(name, 1, f"{len(data) // 1024} KiB is more than {BLOB_CAP // 1024}",
                       "keep large files out of the history, or make them when they are needed")
        if GENERATED.match(name) or b"\0" in data:
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.error(name, 1, "is not UTF-8", "convert it")
            return
        lines = text.splitlines()
        self.check_lines(name, path, text, lines)
        if path.suffix in CPP:
            self.check_cpp(name, path, lines)
        if path.suffix == ".md":
            self.check_markdown(name, lines)

    def check_lines(self, name, path, text, lines):
        if text and not text.endswith("\n"):
            self.error(name, len(lines), "the last line does not end", "end it")
        cap = LINE_CAP.get(path.suffix)
        verbatim = lines_in_raw_strings(text) if path.suffix in CPP else set()
        for number, line in enumerate(lines, 1):
            too_long = cap and len(line) > cap and number not in verbatim
            # A URL, an include or one long text is worse in pieces.
            without_texts = re.sub(r'"(\\.|[^"\\])*"', '""', line)
            whole = re.match(r"^\s*(#include|//\s*\S+$)", line) or len(without_texts) <= (cap or 0)
            if too_long and not whole:
                self.error(name, number, f"{len(line)} columns are more than {cap}", "break the line")
            if line != line.rstrip() and path.suffix != ".md":
                self.error(name, number, "space at the end of the line", "remove it")
            match = UNFINISHED.search(line)
            if match and not match.group(2) and name != "tools/tidy.py" and name != "tools/tidy_test.py":
                self.error(name, number, f"{match.group(1)} without a reason",
                           f"write {match.group(1)}(what it waits for): what is to be done; or do it")

    def check_cpp(self, name, path, lines):
        warn_at = HEADER_WARN if path.suffix == ".h" else SOURCE_WARN
        if len(lines) > FILE_CAP:
            self.error(name, 1, f"{len(lines)} lines are more than {FILE_CAP}", "split the file by concern")
        elif len(lines) > warn_at:
            self.warning(name, 1, f"{len(lines)} lines are more than {warn_at}", "look for a missing name")
        described_by_header = path.suffix == ".cc" and (self.root / path.with_suffix(".h")).exists()
        exempt = described_by_header or path.stem.endswith(("_test", "_fuzz"))
        if not exempt and not (lines and lines[0].startswith("//")):
            self.error(name, 1, "does not say at its top what it is", "begin with a comment of one to ten lines")
        if path.suffix == ".h" and "#pragma once" not in lines:
            self.error(name, 1, "has no #pragma once", "add it below the opening comment")
        for first, length in functions_in(lines):
            if length > FUNCTION_CAP:
                self.error(name, first, f"a function of {length} lines; the cap is {FUNCTION_CAP}", "split it")
            elif length > FUNCTION_WARN:
                self.warning(name, first, f"a function of {length} lines, more than {FUNCTION_WARN}",
                             "push ifs up and fors down")
        for number, line in enumerate(lines, 1):
            self.check_names(name, number, line.split("//")[0])
        self.check_name_of_file(name, path)

    def check_names(self, name, number, line):
        for match in TYPE_NAME.finditer(line):
            for suffix, advice in BANNED_SUFFIXES.items():
                if match.group(1).endswith(suffix):
                    self.error(name, number, f"{match.group(1)}: a name that ends in {suffix} says nothing", advice)

    def check_name_of_file(self, name, path):
        words = path.stem.split("_")
        for suffix, advice in BANNED_SUFFIXES.items():
            if suffix.lower() in words:
                self.error(name, 1, f"a file name with \"{suffix.lower()}\" says nothing", advice)

    def check_markdown(self, name, lines):
        titles, fenced = [], False
        for number, line in enumerate(lines, 1):
            fenced ^= line.startswith("```")
            if not fenced and re.match(r"^# \S", line):
                titles.append(number)
        if titles[:1] != [1]:
            self.error(name, 1, "does not begin with its title", "begin with \"# Title\"")
        if len(titles) > 1:
            self.error(name, titles[1], "a second title", "use ## for sections")

    def error(self, name, number, what, advice):
        self.findings.append(Finding(name, number, what, advice))

    def warning(self, name, number, what, advice):
        self.findings.append(Finding(name, number, what, advice, is_error=False))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--warnings", action="store_true", help="print the warnings too, not only their number")
    arguments = parser.parse_args()
    tidy = Tidy(arguments.root)
    count = tidy.check_tree()
    errors = [f for f in tidy.findings if f.is_error]
    for finding in tidy.findings if arguments.warnings else errors:
        print(finding)
    print(f"tidy: {count} files, {len(errors)} errors, {len(tidy.findings) - len(errors)} warnings")
    return 1 if errors or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
