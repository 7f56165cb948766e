"""On what, and with which versions, something was measured."""
import os
import platform
import re
import subprocess

from harness.pgbouncer import pgbouncer_program
from stand.processes import postgres_tool


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0].strip()


def versions(binary):
    return {
        "Fairlead": first_line(binary, "version").removeprefix("fairlead "),
        "PgBouncer": first_line(pgbouncer_program(), "--version").removeprefix("PgBouncer "),
        "PostgreSQL": first_line(postgres_tool("postgres"), "--version").removeprefix("postgres (PostgreSQL) "),
    }


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    return {
        "cpu": model.group(1) if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "kernel": platform.release(),
    }


def load_average():
    return os.getloadavg()[0]
