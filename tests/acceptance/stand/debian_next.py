"""PostgreSQL 19 from Debian's unstable and experimental packages, with the libraries that it was built for: unpacked into a
folder, nothing of it installed."""
import glob
import os
import shutil
import subprocess
import tempfile

VERSION = 19
PROGRAMS = ("initdb", "postgres", "pg_ctl", "pg_basebackup", "pg_rewind", "pg_controldata")
_SUITES = ("sid", "experimental")
_SERVER = (f"postgresql-{VERSION}", f"postgresql-client-{VERSION}")
_UNPACKED = ("./usr/lib/x86_64-linux-gnu/*.so*", "./usr/lib/postgresql/*", "./usr/share/postgresql/*")


class Unavailable(Exception):
    """Debian does not have it (any more, or just now), or cannot be reached: its text is what apt said."""


def fetch(folder):
    """Unpacks it into `folder`, unless that was done before."""
    if os.path.isdir(folder):
        return
    with tempfile.TemporaryDirectory(prefix="fairlead-apt-") as work:
        apt = _Apt(work)
        apt.run("apt-get", "update")
        apt.run("apt-get", "download", *(f"{package}/{_SUITES[-1]}" for package in _SERVER), cwd=apt.archives)
        apt.run("apt-get", "install", "--download-only", "-t", _SUITES[-1], *_libraries_of(apt))
        unpacked = os.path.join(work, "unpacked")
        os.mkdir(unpacked)
        for package in glob.glob(f"{apt.archives}/*.deb"):
            _unpack(package, unpacked)
        _must(os.path.exists(f"{programs_in(unpacked)}/postgres"), "the packages have no postgres")
        shutil.move(unpacked, folder)


def programs_in(folder):
    return f"{folder}/usr/lib/postgresql/{VERSION}/bin"


def copy_programs(folder, to):
    """A copy that runs where it is, with its own loader and libraries; returns where the programs are."""
    shutil.copytree(folder, to, symlinks=True)
    libraries = f"{to}/usr/lib/x86_64-linux-gnu"
    for name in PROGRAMS:
        subprocess.run(["patchelf", "--set-interpreter", f"{libraries}/ld-linux-x86-64.so.2", "--force-rpath", "--set-rpath",
                        libraries, f"{programs_in(to)}/{name}"], check=True)
    return programs_in(to)


def _libraries_of(apt):
    """What the server is linked with; apt finds what those need."""
    shown = apt.run("apt-cache", "show", *_SERVER)
    needs = {need.split()[0] for line in shown.splitlines() if line.startswith("Depends: ")
             for need in line.removeprefix("Depends: ").split(", ")}
    return sorted(need for need in needs if need.startswith(("lib", "zlib")))


class _Apt:
    """apt with lists, a cache and installed packages (none) of its own; needs no root."""

    def __init__(self, work):
        self.archives = f"{work}/cache/archives"
        for name in ("state/lists/partial", "cache/archives/partial"):
            os.makedirs(f"{work}/{name}")
        mirror = _mirror()
        with open(f"{work}/sources.list", "w", encoding="ascii") as file:
            file.writelines(f"deb {mirror} {suite} main\n" for suite in _SUITES)
        with open(f"{work}/state/status", "w", encoding="ascii"):
            pass
        self._config = f"{work}/apt.conf"
        with open(self._config, "w", encoding="ascii") as file:
            file.write(f'Dir::State "{work}/state"; Dir::State::status "{work}/state/status"; Dir::Cache "{work}/cache";\n'
                       f'Dir::Etc::SourceList "{work}/sources.list"; Dir::Etc::SourceParts "-";\n'
                       'APT::Install-Recommends "false"; APT::Get::Assume-Yes "true"; Acquire::Languages "none"; APT::Sandbox::User "root";\n')

    def run(self, program, command, *arguments, cwd="/"):
        done = subprocess.run([program, "-q", command, *arguments], env={**os.environ, "APT_CONFIG": self._config},
                              capture_output=True, text=True, check=False, cwd=cwd, timeout=300)
        _must(done.returncode == 0, f"{program} {command}: {done.stderr[-800:]}")
        return done.stdout


def _mirror():
    """Where this machine has its own packages from."""
    lines = subprocess.run(["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"],
                           capture_output=True, text=True, check=False).stdout.splitlines()
    mirrors = [line.split()[1] for line in lines if line.startswith("Debian ")]
    _must(mirrors, "apt knows no mirror of Debian: apt-get update")
    return mirrors[0]


def _unpack(package, folder):
    archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    # A package that has none of these is no failure.
    subprocess.run(["tar", "-x", "-C", folder, "--no-same-owner", "--wildcards", *_UNPACKED], stdin=archive.stdout,
                   stderr=subprocess.DEVNULL, check=False)
    archive.stdout.close()
    _must(archive.wait() in (0, -13), f"dpkg-deb cannot read {package}")


def _must(holds, otherwise):
    if not holds:
        raise Unavailable(f"PostgreSQL {VERSION} of Debian's {_SUITES[-1]}: {otherwise}")
