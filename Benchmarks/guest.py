"""What starts and execs cost where cgroup v2 and systemd are: in the guest of scripts/hostvm."""

import os
import pathlib
import shutil
import subprocess

import images
from measure import Failed, Series

PROJECT = pathlib.Path(__file__).resolve().parent.parent
AIMS = {"run --rm": 0.4, "exec true, 100": 0.4, "exec true, back": 0.6}


def measure(bench):
    """Adds a row to the bench's table for each case; the guest is left out where there is none."""
    ready = subprocess.run([PROJECT / "scripts/hostvm", "ready"], capture_output=True, text=True)
    if ready.returncode != 0:
        bench.table.note("on cgroup v2", f"not run: {ready.stdout.strip()}")
        return
    share = pathlib.Path(f"{bench.stage}/guest")
    share.mkdir()
    programs = os.path.dirname(bench.ctr_program)
    for program in ("ctr", "ctr-monitor", "ctr-transfer"):
        shutil.copy(f"{programs}/{program}", share)
    shutil.copy(PROJECT / "Benchmarks/v2-job", share)
    images.busybox_tar(str(share / "tiny.tar"))
    if bench.crun_program:
        bench.tiny()
        for name, command, memory in (("run", "true", None), ("exec", "sleep 10000", 64 << 20)):
            bundle = pathlib.Path(bench.bundle(f"guest-{name}", command.split(), memory, root="../rootfs"))
            bundle.rename(share / name)
        shutil.copytree(f"{bench.stage}/bundle/rootfs", share / "rootfs", symlinks=True)
        libraries(bench.crun_program, share / "crun")
    guest = subprocess.run(
        [PROJECT / "scripts/hostvm", "run", "--ro", share, "./v2-job", str(bench.rounds(40))],
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if guest.returncode != 0:
        raise Failed(f"the guest ended with code {guest.returncode}: {guest.stderr.strip()[-300:]}")
    figures = {}
    for line in guest.stdout.splitlines():
        *case, what, value = line.rsplit(", ", 2)
        figures.setdefault(case[0], {}).setdefault(what, []).append(float(value))
    # An emulator translates each instruction at its first use, and that is nearly all of a start: only a guest on KVM
    # is held to the aims.
    emulated = os.environ.get("HOSTVM_ACCEL", "tcg") != "kvm"
    for case, values in figures.items():
        mine, aim = Series(values["ctr"]), next(aim for start, aim in AIMS.items() if case.startswith(start))
        peer = Series(values["crun"]) if "crun" in values else None
        bench.table.add(f"cgroup v2: {case}", mine, ("crun", peer),
                        "emulated: none" if emulated else f"at most {aim} of crun",
                        None if emulated or not peer else mine.median <= aim * peer.median)


def libraries(program, directory):
    """The program with what it is linked to: the guest has none of it."""
    directory.mkdir()
    shutil.copy(program, directory)
    for line in subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout.splitlines():
        words = line.replace("=>", " ").split()
        path = next((word for word in words if word.startswith("/")), None)
        if path:
            name = os.path.basename(path)
            shutil.copy(path, directory / ("ld.so" if name.startswith("ld-linux") else name))
