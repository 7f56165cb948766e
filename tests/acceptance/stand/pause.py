"""The switchover's side of a pause, by hand: a line in the primary's own configuration file, and what its views then show."""
import contextlib
import os
import re
import time

from stand.processes import eventually

_LINE = re.compile(r"^fairlead\.hold_writes_until.*\n", re.M)
# Whose application_name says that they hold, all monitors, and whoever is at work besides them and us.
_LOOK = """
select count(*) filter (where application_name = 'fairlead-monitor-holding'),
       count(*) filter (where application_name like 'fairlead-monitor%'),
       count(*) filter (where application_name not like 'fairlead-monitor%' and pid <> pg_backend_pid()
                          and state in ('active', 'idle in transaction', 'idle in transaction (aborted)'))
  from pg_stat_activity where backend_type = 'client backend'"""


def write(cluster, index, value):
    """None takes the line away."""
    path = os.path.join(cluster.nodes[index]["data_dir"], "fairlead.conf")
    with open(path, encoding="utf-8") as file:
        text = _LINE.sub("", file.read())
    if value is not None:
        text += f"fairlead.hold_writes_until = '{value}'\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def ask(cluster, index, value):
    """The node reads it before this returns."""
    write(cluster, index, value)
    with cluster.superuser(index) as node:
        node.run("select pg_reload_conf()")
        now = "select coalesce(current_setting('fairlead.hold_writes_until', true), '')"
        eventually(lambda: node.value(now) == (value or ""), 10, "the node has read its configuration")


@contextlib.contextmanager
def held(cluster, index, seconds=60):
    ask(cluster, index, str(int(time.time()) + seconds))
    try:
        yield
    finally:
        ask(cluster, index, None)


def look(node):
    """(monitors that hold, monitors, others at work) as this superuser's connection sees it."""
    return tuple(int(count) for count in node.run(_LOOK)[0])


def holds(node):
    holding, monitors, _ = look(node)
    return holding == monitors > 0


def wait_until_held(cluster, index, monitors=1):
    with cluster.superuser(index) as node:
        eventually(lambda: look(node)[:2] == (monitors, monitors), 10, "all monitors show that they hold")


def wait_until_quiet(cluster, index, monitors=1):
    """Nothing runs there any more, in two looks in a row."""
    quiet = (monitors, monitors, 0)
    with cluster.superuser(index) as node:
        eventually(lambda: look(node) == quiet and look(node) == quiet, 20, "nobody is at work on the primary")
