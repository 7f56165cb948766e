"""What the kernel says about a process: the time that it has used, and its memory."""
import os

from stand.processes import memory_kib

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_ticks(stat):
    """utime + stime of the text of /proc/PID/stat: of all threads (proc(5)). The name may hold spaces and brackets."""
    fields = stat.rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return cpu_ticks(file.read()) / TICKS_PER_SECOND


def resident_kib(pid):
    return memory_kib(pid, "VmRSS")
