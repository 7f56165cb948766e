"""What an operator does to a cluster by hand after a failure: promote a node, re-point another one, clone the old primary anew."""
import contextlib
import os
import shutil
import subprocess

from stand.processes import eventually, is_alive, postgres_tool

# A server's own files, which a clone must not take over from its source.
_OWN_FILES = ("fairlead.conf", "pg_hba.conf")
_STREAMING = "select count(*) from pg_stat_replication where state = 'streaming' and application_name like 'node%'"


def promote(cluster, index):
    """Returns when the node accepts writes."""
    with cluster.superuser(index) as node:
        node.run("select pg_promote(true, 30)")


def most_advanced(cluster, candidates):
    """The one of these replicas with the most WAL; none of them receives any more (E12)."""
    positions = {}
    for index in candidates:
        with cluster.superuser(index) as node:
            idle = "select count(*) from pg_stat_wal_receiver where status = 'streaming'"
            eventually(lambda node=node: node.value(idle) == "0", 30, f"replica {index} receives nothing any more")
            have = "greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
            positions[index] = int(node.value(f"select pg_wal_lsn_diff({have}, '0/0')"))
    return max(positions, key=positions.get)


def _conninfo(cluster, index, primary):
    node, source, spec = cluster.nodes[index], cluster.nodes[primary], cluster.state["spec"]
    return (f"host={source['host']} port={source['port']} user={spec['replication_user']} application_name={node['name']} "
            f"password={cluster.state['secrets']['replication']}")


def follow(cluster, index, primary):
    """The replica receives from that primary from now on."""
    with cluster.superuser(index) as node:
        node.run(f"alter system set primary_conninfo = '{_conninfo(cluster, index, primary)}'")
        node.run("alter system set primary_slot_name = ''")
        node.run("select pg_reload_conf()")


def wait_for_replicas(cluster, primary, count):
    with cluster.superuser(primary) as node:
        eventually(lambda: node.value(_STREAMING) == str(count), 60, f"{count} replicas stream from node {primary}")


def run_tool(cluster, *command, **options):
    """A program of PostgreSQL's, as the servers' user."""
    as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    done = subprocess.run([postgres_tool(command[0]), *command[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, check=False, cwd="/", **as_user, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")


def stop(cluster, index, mode="fast"):
    run_tool(cluster, "pg_ctl", "stop", "-w", "-m", mode, "-D", cluster.nodes[index]["data_dir"])


def _forget_dead_postmaster(cluster, index):
    """One that was killed has left the lock of its socket, and PostgreSQL takes it for alive as long as nobody has waited for the
    process: init may take seconds."""
    lock = os.path.join(cluster.state["spec"]["dir"], "s", f".s.PGSQL.{cluster.nodes[index]['port']}.lock")
    with contextlib.suppress(FileNotFoundError):
        with open(lock, encoding="ascii") as file:
            pid = int(file.readline())
        if not is_alive(pid):
            os.remove(lock)


def start(cluster, index):
    _forget_dead_postmaster(cluster, index)
    folder = cluster.nodes[index]["data_dir"]
    log = os.path.join(folder, "start.log")
    try:
        run_tool(cluster, "pg_ctl", "start", "-w", "-D", folder, "-l", log)
    except RuntimeError as error:
        with open(log, encoding="utf-8", errors="replace") as said:
            raise RuntimeError(f"{error}\n{said.read()[-2000:]}") from None


def become_standby(cluster, index, primary):
    """A stopped node starts as a replica of `primary` when it is started; its data must be part of that one's history."""
    folder = cluster.nodes[index]["data_dir"]
    lines = [f"primary_conninfo = '{_conninfo(cluster, index, primary)}'", "primary_slot_name = ''"]
    with open(os.path.join(folder, "postgresql.auto.conf"), "a", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)
    with open(os.path.join(folder, "standby.signal"), "wb"):
        pass
    if os.getuid() == 0:
        shutil.chown(os.path.join(folder, "standby.signal"), "postgres", "postgres")


def clone(cluster, index, primary):
    """The stopped node becomes a new copy of `primary`, and its replica."""
    folder = cluster.nodes[index]["data_dir"]
    with open(os.path.join(folder, "postmaster.pid"), encoding="ascii") as file:
        pid = int(file.readline())
    eventually(lambda: not is_alive(pid), 30, f"node {index} has ended")
    kept = {}
    for name in _OWN_FILES:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            kept[name] = file.read()
    for entry in os.scandir(folder):
        shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.remove(entry.path)
    run_tool(cluster, "pg_basebackup", "-D", folder, "-X", "stream", "-c", "fast", "--no-sync", "--no-manifest",
             "-d", _conninfo(cluster, index, primary))
    for name, text in kept.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    become_standby(cluster, index, primary)
    start(cluster, index)


def demand_quorum(cluster):
    """Every node, once it is the primary, acknowledges no commit before one of the others has it (E10). The list is the same on
    all of them, because a clone takes it over; no node is its own standby."""
    names = ", ".join(node["name"] for node in cluster.nodes)
    for index in range(len(cluster.nodes)):
        set_quorum(cluster, index, f"ANY 1 ({names})")


def set_quorum(cluster, index, names):
    with cluster.superuser(index) as node:
        node.run(f"alter system set synchronous_standby_names = '{names}'")
        node.run("select pg_reload_conf()")
        eventually(lambda: node.value("show synchronous_standby_names") == names, 10, "the node has read it")
