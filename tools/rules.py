#!/usr/bin/python3
"""Makes docs/RULES.md of docs/rules.txt: what each rule's number means, which code carries it out, and which tests name it.

    tools/rules.py           writes the page
    tools/rules.py --check   fails when the page is not current, or when the code names a rule that the list does not have
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST, PAGE = ROOT / "docs/rules.txt", ROOT / "docs/RULES.md"
NUMBER = re.compile(r"(?<![\w'\"/.-])([A-G]\d{1,2}[a-e]?)(?![\w'\"])")
# "D10-D15" and "F40-F44" name all between; a letter behind a number is its own rule.
RANGE = re.compile(r"(?<![\w'\"/.-])([A-G])(\d{1,2})-\1?(\d{1,2})(?![\w'\"])")
TITLES = {"G": "Above all", "A": "Statements", "B": "Transactions", "C": "The session's state", "D": "What reads see",
          "E": "Nodes that fail", "F": "The protocol"}
HEAD = """# The rules

What the numbers in comments and tests stand for. A change that touches one keeps it, and its test names it. The rules come from
PostgreSQL's own behaviour, and from what users of other poolers ran into. Made by `tools/rules.py` of `docs/rules.txt`.
"""


def read_list():
    rules = {}
    for line in LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            number, word, text = line.split("|", 2)
            rules[number] = (word, text)
    return rules


def comments_of(path, text):
    """The comments of a C++ file; of Python everything, because tests tell in strings what they are for."""
    if path.suffix == ".py":
        return text
    return "\n".join(line.split("//", 1)[1] for line in text.splitlines() if "//" in line)


def numbers_in(text):
    found = set(NUMBER.findall(text))
    for letter, first, last in RANGE.findall(text):
        found |= {f"{letter}{number}" for number in range(int(first), int(last) + 1)}
    return found


def is_test(path):
    return path.parts[0] == "tests" or path.stem.endswith("_test") or path.stem.startswith("classify_case")


def places():
    """{number: (names of the code's files, names of the tests' files)}"""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "src", "tests"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = {}
    for name in sorted(listed.stdout.split()):
        path = Path(name)
        if path.suffix not in (".cc", ".h", ".py") or not (ROOT / path).exists():
            continue
        shown = f"{path.parent.name}/{path.stem}"
        for number in numbers_in(comments_of(path, (ROOT / path).read_text())):
            found.setdefault(number, ([], []))[is_test(path)].append(shown)
    return found


def cell(names):
    unique = list(dict.fromkeys(names))
    return ", ".join(f"`{name}`" for name in unique) or "-"


def page(rules, found):
    out = [HEAD]
    letter = None
    for number, (word, text) in rules.items():
        if number[0] != letter:
            letter = number[0]
            out.append(f"\n## {TITLES[letter]}\n| | | what it says | code | tests |\n|---|---|---|---|---|\n")
        code, tests = found.get(number, ([], []))
        out.append(f"| {number} | {word} | {text} | {cell(code)} | {cell(tests)} |\n")
    return "".join(out)


def main(arguments):
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    rules, found = read_list(), places()
    unknown = {number: names for number, names in found.items() if number not in rules and number[0] in TITLES}
    for number, (code, tests) in sorted(unknown.items()):
        print(f"docs/rules.txt: {number} is not there, but named in {', '.join(code + tests)}", file=sys.stderr)
    text = page(rules, found)
    if not arguments:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        print("docs/RULES.md is not current: run tools/rules.py", file=sys.stderr)
        return 1
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
