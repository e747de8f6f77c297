"""The cases of ./bench: what is measured, beside whom, and the target of each."""

import argparse
import contextlib
import datetime
import json
import os
import platform
import shutil
import subprocess
import tempfile
import time

import contexts
import guest
import images
import throughput
from measure import Agent, Failed, Series, by_turns, spawn, timed

HYBRID = os.path.isdir("/sys/fs/cgroup/unified")


class Table:
    def __init__(self):
        self.rows = []

    def add(self, work, ours, peer=None, target="", holds=None):
        """`target` in words; `holds` tells whether it is met (None: nothing was promised or could be compared)."""
        ratio = f"{ours.median / peer[1].median:.2f}" if peer and peer[1] else ""
        beside = f"{peer[0]} {peer[1] or 'not installed'}" if peer else ""
        verdict = "" if holds is None else "yes" if holds else "**no**"
        self.rows.append((work, str(ours), beside, ratio, target, verdict))
        print("  " + " | ".join(cell for cell in self.rows[-1] if cell), flush=True)

    def note(self, work, text):
        self.rows.append((work, text, "", "", "", ""))
        print(f"  {work} | {text}", flush=True)

    def markdown(self):
        lines = ["| work | ctr | beside it | ratio | target | met |", "|---|---|---|---|---|---|"]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows])


class Bench:
    def __init__(self, options):
        self.stage, self.work, self.quick = options.stage, options.work, options.quick
        self.ctr_program = f"{options.bin}/ctr"
        self.table = Table()
        self.root = f"{self.stage}/ctr"
        self.agent = Agent("umount /sys/fs/cgroup/unified 2>/dev/null || :")
        self.crun_program = shutil.which("crun", path="/usr/bin:/usr/sbin")
        self.runc_program = shutil.which("runc", path="/usr/bin:/usr/sbin")
        self.podman_program = shutil.which("podman", path="/usr/bin")
        self.buildah_program = shutil.which("buildah", path="/usr/bin")
        self.registry = None
        self.prefix = f"bench{os.getpid()}"

    def ctr(self, *words, root=None):
        root = root or self.root
        return [self.ctr_program, "--root", root, "--run-root", root + ".run", *words]

    def crun(self, *words):
        return [self.crun_program, "--root", f"{self.stage}/crun", *words]

    def runc(self, *words):
        return [self.runc_program, "--root", f"{self.stage}/runc", *words]

    def oci(self, *words):
        return [self.ctr_program, "oci", "--root", f"{self.stage}/oci", *words]

    def runtimes(self):
        """The peers of `ctr oci` that are here: name, command, the aim of ctr's part of their time."""
        here = [("crun", self.crun, 0.5)] if self.crun_program else []
        return here + ([("runc", self.runc, 0.25)] if self.runc_program else [])

    def podman(self, *words):
        return [self.podman_program, "--root", f"{self.stage}/podman", "--runroot", f"{self.stage}/podman.run",
                "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", *words]

    def buildah(self, *words):
        return [self.buildah_program, "--root", f"{self.stage}/buildah", "--runroot", f"{self.stage}/buildah.run",
                "--storage-driver", "overlay", *words]

    def output(self, command):
        return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout

    def rounds(self, number):
        return max(3, number // 5) if self.quick else number

    def tiny(self):
        """The small image in ctr's store."""
        if not os.path.exists(f"{self.stage}/tiny.tar"):
            images.busybox_tar(f"{self.stage}/tiny.tar")
            timed(self.ctr("import", "-c", 'CMD ["sh"]', f"{self.stage}/tiny.tar", "tiny"))

    def bundle(self, name, args, memory=None, seccomp=True, root=None):
        """A bundle for a runtime: the one that ctr writes, with this command."""
        if not os.path.exists(f"{self.stage}/bundle"):
            timed(self.ctr("bundle", "tiny", f"{self.stage}/bundle"))
        directory = f"{self.stage}/{name}"
        os.makedirs(directory)
        with open(f"{self.stage}/bundle/config.json") as file:
            spec = json.load(file)
        spec["process"]["args"] = args
        spec["process"]["terminal"] = False
        spec["root"]["path"] = root or f"{self.stage}/bundle/rootfs"
        spec["linux"]["cgroupsPath"] = f"/{self.prefix}-{name}"
        # What every peer takes; nothing later is in it.
        spec["ociVersion"] = "1.0.2"
        if not seccomp:
            del spec["linux"]["seccomp"]
        if memory:
            spec["linux"].setdefault("resources", {})["memory"] = {"limit": memory}
        with open(f"{directory}/config.json", "w") as file:
            json.dump(spec, file)
        return directory

    # -- cases -------------------------------------------------------------------------------------------

    def start(self):
        self.tiny()
        ours = self.ctr("run", "--rm", "--network", "none", "tiny", "true")
        if not self.crun_program:
            (mine,) = by_turns(self.rounds(50), 0.02, lambda: timed(ours))
            self.table.add("run --rm tiny true", mine, ("crun run", None), "at most 0.4 of crun; aim 0.25")
            return
        bundle = self.bundle("start", ["true"])
        theirs = self.crun("run", "--bundle", bundle, f"{self.prefix}-start")
        mine, peer = by_turns(self.rounds(50), 0.02, lambda: timed(ours), lambda: self.agent.timed(theirs))
        self.table.add("run --rm tiny true", mine, ("crun run", peer), "at most 0.4 of crun; aim 0.25",
                       mine.median <= 0.4 * peer.median)

    def network(self):
        """In a network namespace that plays the host: the machine's own is left alone."""
        self.tiny()
        with throughput.places(1) as (host,):
            def inside(*words):
                return throughput.inside(host.pid, *self.ctr(*words))

            with_it = inside("run", "--rm", "--network", "bridge", "tiny", "true")
            without = inside("run", "--rm", "--network", "none", "tiny", "true")
            mine, none = by_turns(self.rounds(50), 0.02, lambda: timed(with_it), lambda: timed(without))
            self.table.add("run --rm on the default network", mine, ("--network none", none),
                           "at most 25 ms more; aim 10", mine.median - none.median <= 25)
            count = 50 if self.quick else 500
            names = [f"{self.prefix}-n{number}" for number in range(count)]
            for name in names:
                timed(inside("run", "-d", "--name", name, "--network", "bridge", "tiny", "sleep", "100000"))
            many, none = by_turns(self.rounds(50), 0.02, lambda: timed(with_it), lambda: timed(without))
            self.table.add(f"the same beside {count} containers on it", many, ("--network none", none),
                           "as with none there: no table is looked through", many.median - none.median <= 25)
            timed(inside("rm", "-f", *names))

    def throughput(self):
        throughput.measure(self)

    def oci_run(self):
        self.tiny()
        with self.on_tmpfs():
            for label, seccomp in (("", False), (", docker's seccomp profile", True)):
                bundle = self.bundle(f"oci-run-{seccomp}", ["true"], seccomp=seccomp)
                words = ("run", "--bundle", bundle, f"{self.prefix}-oci")
                self.beside(f"oci run true{label}", self.rounds(60), lambda runtime: [runtime(*words)])

    def oci_create_start_delete(self):
        self.tiny()
        with self.on_tmpfs():
            bundle = self.bundle("oci-life", ["sleep", "1000"])
            name = f"{self.prefix}-life"
            self.beside("oci create, start, delete --force", self.rounds(30), lambda runtime: [
                runtime("create", "--bundle", bundle, name), runtime("start", name),
                runtime("delete", "--force", name)])

    @contextlib.contextmanager
    def on_tmpfs(self):
        """Bundles and states there: what a disk costs is none of a runtime's."""
        stage, self.stage = self.stage, tempfile.mkdtemp(prefix="ctr-bench.", dir="/dev/shm")
        try:
            yield
        finally:
            shutil.rmtree(self.stage, ignore_errors=True)
            self.stage = stage

    def beside(self, work, rounds, calls):
        """`calls` answers the commands of one round for a runtime; a row for each peer."""
        peers = self.runtimes()

        def round_of(runtime, clock):
            return sum(clock(command) for command in calls(runtime))

        works = [lambda: round_of(self.oci, timed)]
        works += [lambda runtime=runtime: round_of(runtime, self.agent.timed) for _, runtime, _ in peers]
        mine, *others = by_turns(rounds, 0.02, *works)
        if not peers:
            self.table.add(work, mine, ("crun", None), "at most 0.5 of crun, 0.25 of runc")
        for (name, _, limit), peer in zip(peers, others):
            self.table.add(work, mine, (name, peer), f"at most {limit} of {name}", mine.median <= limit * peer.median)

    def thousand(self):
        self.tiny()
        count = 100 if self.quick else 1000
        names = [f"t{number}" for number in range(count)]
        health = ["--health-cmd", "true", "--health-interval", "20s"]
        before = self.memory()
        begin = time.perf_counter()
        each = Series(timed(self.ctr("run", "-d", "--name", name, *health, "tiny", "sleep", "10000")) for name in names)
        took = time.perf_counter() - begin
        self.table.add(f"run -d with a health check, {count} of them", each, None, "")
        self.table.note("all of them were started", f"in {took:.1f} s, {count / took:.0f} a second")
        deadline = time.perf_counter() + 120
        healthy = 0
        while healthy < count and time.perf_counter() < deadline:
            time.sleep(1)
            healthy = len(self.output(self.ctr("ps", "-q", "--filter", "health=healthy")).split())
        self.table.add(f"healthy of {count}", Series([healthy], ""), None, "all", healthy == count)
        self.table.note("all of them were healthy", f"{time.perf_counter() - begin:.1f} s after the first began")
        after = self.memory()
        monitors = Series((self.proportional(pid) for pid in self.monitors()), "KiB")
        self.table.add("a monitor's share of memory (PSS)", monitors)
        kernel = (after["kernel"] - before["kernel"]) / count
        whole = (before["MemAvailable"] - after["MemAvailable"]) / count
        self.table.note("of the kernel for each container", f"{kernel:.0f} KiB (slabs, page tables, stacks, per-CPU)")
        self.table.note("less memory available for each", f"{whole:.0f} KiB, the program (busybox sleep) with it")
        listing = Series(timed(self.ctr("ps")) for _ in range(self.rounds(10)))
        self.table.add(f"ps of {count}", listing)
        stop = timed(self.ctr("stop", "-t", "0", *names))
        remove = timed(self.ctr("rm", *names))
        self.table.note(f"stop -t 0 of {count}", f"{stop:.0f} ms; rm {remove:.0f} ms")

    def memory(self):
        """KiB of /proc/meminfo, with what the kernel holds for itself as `kernel`."""
        with open("/proc/meminfo") as file:
            facts = {line.split(":")[0]: int(line.split()[1]) for line in file}
        facts["kernel"] = sum(facts[name] for name in ("Slab", "PageTables", "KernelStack", "Percpu"))
        return facts

    def proportional(self, pid):
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))

    def exec(self):
        self.tiny()
        for label, flags, memory in (("", [], None), (", 64 MB limit", ["--memory", "64m"], 64 << 20)):
            name = f"{self.prefix}-{'limited' if memory else 'free'}"
            timed(self.ctr("run", "-d", "--name", name, *flags, "tiny", "sleep", "1000"))
            ours = self.ctr("exec", name, "true")
            peers = []
            if self.crun_program:
                bundle = self.bundle(f"exec{'-limited' if memory else ''}", ["sleep", "1000"], memory)
                self.agent.timed(self.crun("run", "--detach", "--bundle", bundle, name))
                peers = [lambda: self.agent.timed(self.crun("exec", name, "true"))]
            try:
                for how, pause, limit in (("100 ms apart", 0.1, 0.4), ("back to back", 0, 0.6)):
                    if pause:
                        mine, *others = by_turns(self.rounds(40), pause, lambda: timed(ours), *peers)
                    else:
                        # Back to back means each by itself, since the other's calls are pauses too; in blocks by turns,
                        # since the machine is not the same for long.
                        rows = [[] for _ in range(1 + len(peers))]
                        for _ in range(8):
                            for row, call in zip(rows, [lambda: timed(ours), *peers]):
                                row += [call() for _ in range(self.rounds(20))]
                        mine, *others = (Series(row) for row in rows)
                    peer = others[0] if others else None
                    self.table.add(f"exec true, {how}{label}", mine, ("crun exec", peer), f"at most {limit} of crun",
                                   mine.median <= limit * peer.median if peer else None)
            finally:
                timed(self.ctr("rm", "-f", name))
                if self.crun_program:
                    self.agent.spawn(self.crun("delete", "--force", name))

    def detached(self):
        self.tiny()
        count = 100 if self.quick else 500
        names = [f"d{number}" for number in range(count)]
        begin = time.perf_counter()
        each = Series(timed(self.ctr("run", "-d", "--name", name, "tiny", "sleep", "1000")) for name in names)
        took = time.perf_counter() - begin
        peer = None
        if self.podman_program:
            self.podman_tiny()
            # podman would raise the hard limits, which a root without CAP_SYS_RESOURCE may not.
            limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
            podman_names = [f"p{number}" for number in range(3 if self.quick else 20)]
            peer = Series(self.agent.timed(self.podman(
                "run", "-d", "--network", "none", *limits, "--name", name, "localhost/tiny", "sleep", "1000"))
                          for name in podman_names)
        self.table.add(f"run -d, {count} one after another", each, ("podman run -d", peer), "60 a second: 16.7 ms each",
                       count / took >= 60)
        running = len(self.output(self.ctr("ps", "-q")).split())
        self.table.note("of them running", f"{running} of {count}, {count / took:.0f} a second")
        monitors = self.monitors()
        if monitors:
            resident = Series((self.resident(pid) for pid in monitors), "MB")
            peer_resident = Series((self.resident(pid) for pid in self.processes("conmon")), "MB") if peer else None
            self.table.add("resident process of a container", resident, ("conmon", peer_resident),
                           "at most 0.25 MB; aim 0.18", resident.median <= 0.25)
        listing = Series(timed(self.ctr("ps")) for _ in range(self.rounds(20)))
        self.table.add(f"ps of {count}", listing, None, "under 50 ms", listing.median < 50)
        stop = timed(self.ctr("stop", "-t", "0", *names))
        remove = timed(self.ctr("rm", *names))
        both = Series([stop + remove])
        self.table.add(f"stop -t 0 and rm of {count}", both, None, "under 3 s together", both.median < 3000)
        self.table.note("of these", f"stop {stop:.0f} ms, rm {remove:.0f} ms")
        left = len(self.output(self.ctr("ps", "-aq")).split())
        self.table.note("containers left", str(left))
        if peer:
            begin = time.perf_counter()
            self.agent.spawn(self.podman("rm", "-f", "-t", "0", *podman_names))
            self.table.note(f"podman rm -f of {len(podman_names)}", f"{(time.perf_counter() - begin) * 1000:.0f} ms")

    def podman_tiny(self):
        if self.agent.spawn(self.podman("image", "exists", "localhost/tiny"))[1] != 0:
            self.agent.timed(self.podman("import", f"{self.stage}/tiny.tar", "localhost/tiny"))

    def processes(self, program):
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/comm") as file:
                        if file.read().strip() == program:
                            found.append(int(name))
                except OSError:
                    continue
        return found

    def monitors(self):
        return self.processes("ctr-monitor")

    def resident(self, pid):
        """Anonymous memory, page tables and kernel stacks, in MB: what one more of them takes from the machine."""
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.split(":", 1) for line in file if ":" in line)
        kib = int(status["RssAnon"].split()[0]) + int(status["VmPTE"].split()[0]) + 16 * int(status["Threads"])
        return kib / 1024

    def pull(self):
        missing = [name for name in ("docker-registry", "skopeo", "mmdebstrap", "zstd") if not shutil.which(name)]
        if missing:
            self.table.note("pull", f"not measured: not installed: {', '.join(missing)}")
            return
        home, facts = images.eight_layers(self.work)
        self.table.note("the image", f"8 layers, {facts['entries']} entries, {facts['bytes'] / 1e6:.0f} MB unpacked, "
                        f"gzip {facts['packed']['gzip'] / 1e6:.0f} MB, zstd {facts['packed']['zstd'] / 1e6:.0f} MB")
        self.registry = images.Registry(self.work)
        peak = 0
        for packing in ("gzip", "zstd"):
            name = self.registry.receive(f"oci:{home}/{packing}:x", f"eight:{packing}")
            root = f"{self.stage}/pull"

            def durable(spawn, command, directory):
                took, code, kib = spawn(command)
                if code != 0:
                    raise Failed(f"exit code {code}: {' '.join(command)}")
                return took + timed(["/bin/sync", "-f", directory]), kib

            def fresh():
                # Outside the time: nothing of the last round is left, on the disk or on its way there.
                for path in (root, root + ".run", f"{self.stage}/podman", f"{self.stage}/podman.run"):
                    self.agent.spawn(["/bin/umount", "-q", f"{path}/overlay"])
                    shutil.rmtree(path, ignore_errors=True)
                    os.makedirs(path)
                timed(["/bin/sync", "-f", self.stage])

            def ours():
                nonlocal peak
                fresh()
                took, kib = durable(spawn, self.ctr("pull", "-q", name, root=root), root)
                peak = max(peak, kib)
                return took

            def podmans():
                fresh()
                return durable(self.agent.spawn, self.podman("pull", "-q", "--tls-verify=false", name), f"{self.stage}/podman")[0]

            works = [ours] + ([podmans] if self.podman_program else [])
            mine, *others = by_turns(self.rounds(5), 0, *works)
            peer = others[0] if others else None
            self.table.add(f"pull, {packing}, durable", mine, ("podman pull", peer), "at most 0.5 of podman; aim 0.33",
                           mine.median <= 0.5 * peer.median if peer else None)
            if packing == "zstd":
                continue
            self.removal(name, root)
        self.table.add("peak memory of a pull", Series([peak / 1024], "MB"), None, "under 100 MB", peak / 1024 < 100)

    def removal(self, name, root):
        """rmi, and the work that goes on behind it."""
        times, behind, peers = [], [], []
        for _ in range(self.rounds(5)):
            shutil.rmtree(root, ignore_errors=True)
            timed(self.ctr("pull", "-q", name, root=root))
            times.append(timed(self.ctr("rmi", name, root=root)))
            begin = time.perf_counter_ns()
            while any(os.path.isdir(f"{root}/{place}") and os.listdir(f"{root}/{place}") for place in ("trash", "layers")):
                time.sleep(0.005)
                if time.perf_counter_ns() - begin > 60e9:
                    break
            behind.append((time.perf_counter_ns() - begin) / 1e6)
            if self.podman_program:
                self.agent.spawn(self.podman("pull", "-q", "--tls-verify=false", name))
                peers.append(self.agent.timed(self.podman("rmi", name)))
        mine = Series(times)
        self.table.add("rmi of it returns", mine, ("podman rmi", Series(peers) if peers else None), "within 50 ms",
                       mine.median <= 50)
        self.table.add("the removal behind it", Series(behind))

    def small(self):
        self.tiny()
        for number in range(5):
            timed(self.ctr("create", "--name", f"s{number}", "tiny", "true"))
        for words, limit in ((("ps", "-a"), 10), (("images",), 10), (("--help",), 15), (("version",), None)):
            mine = Series(timed(self.ctr(*words)) for _ in range(self.rounds(40)))
            self.table.add("ctr " + " ".join(words), mine, None, f"under {limit} ms" if limit else "",
                           mine.median < limit if limit else None)
        timed(self.ctr("rm", *(f"s{number}" for number in range(5))))

    def build(self):
        """BuildKit is not in Debian 12: its targets are told by what it took beside buildah in one run on such a machine,
        2.13 s of buildah's 4.74 cold and 0.14 of 1.92 cached."""
        self.tiny()
        context = f"{self.stage}/context"
        contexts.make(context, f"{self.stage}/tiny.tar")
        time.sleep(3)
        root = f"{self.stage}/build"
        ours = self.ctr("build", "-q", "--network", "none", "-t", "bench", context, root=root)
        theirs = self.buildah("bud", "--layers", "-q", "--network", "host", "-t", "bench", context) \
            if self.buildah_program else None

        def cold():
            shutil.rmtree(root, ignore_errors=True)
            return timed(ours)

        def buildah_cold():
            self.agent.spawn(self.buildah("rmi", "-a", "-f"))
            return self.agent.timed(theirs)

        works = [cold] + ([buildah_cold] if theirs else [])
        mine, *others = by_turns(self.rounds(5), 0, *works)
        peer = others[0] if others else None
        self.table.add("build, 6 steps, 5,000 files, 50 MB, cold", mine, ("buildah bud", peer),
                       "at most 0.27 of buildah (0.6 of BuildKit)", mine.median <= 0.27 * peer.median if peer else None)
        works = [lambda: timed(ours)] + ([lambda: self.agent.timed(theirs)] if theirs else [])
        mine, *others = by_turns(self.rounds(20), 0, *works)
        peer = others[0] if others else None
        self.table.add("the same, cached", mine, ("buildah bud", peer), "at most 0.044 of buildah (0.6 of BuildKit)",
                       mine.median <= 0.044 * peer.median if peer else None)
        self.steps()

    def steps(self):
        """What a RUN costs above its command: builds with one and with eleven."""
        root = f"{self.stage}/steps"
        counts = (1, 11)
        for count in counts:
            contexts.with_steps(f"{self.stage}/steps-{count}", f"{self.stage}/tiny.tar", count)

        def build(count):
            shutil.rmtree(root, ignore_errors=True)
            return timed(self.ctr("build", "-q", "--network", "none", f"{self.stage}/steps-{count}", root=root))

        one, eleven = by_turns(self.rounds(15), 0, lambda: build(1), lambda: build(11))
        cost = Series([(b - a) / 10 for a, b in zip(one.values, eleven.values)])
        self.table.add("a RUN step", cost, None, "at most 15 ms above its command", cost.median <= 15)

    # -- around them -------------------------------------------------------------------------------------

    def close(self):
        spawn(self.ctr("rm", "-f", *self.output(self.ctr("ps", "-aq")).split(), "none"))
        # podman's and crun's mounts are in the agent's namespace and go with it.
        if self.podman_program and os.path.isdir(f"{self.stage}/podman"):
            self.agent.spawn(self.podman("rm", "-f", "-a", "-t", "0"))
        self.agent.close()
        if self.registry:
            self.registry.close()


def machine(options):
    def first(path, key):
        with open(path) as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(key)), "?")

    def version(program, *words):
        if not shutil.which(program):
            return f"{program} not installed"
        text = subprocess.run([program, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
        return f"{program} {text.split(chr(10))[0].replace(program, '').replace('version', '').strip()}"

    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    memory = int(first("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)
    return [
        f"- ctr: {commit or 'unknown'}",
        f"- {first('/proc/cpuinfo', 'model name')}, {os.cpu_count()} processors, {memory:.0f} GiB, {platform.machine()}",
        f"- kernel {platform.release()}, cgroups {'hybrid' if HYBRID else 'v2'}; {options.place}",
        f"- load before: {os.getloadavg()[0]:.2f}",
        "- " + ", ".join([version("crun", "--version"), version("runc", "--version"), version("podman", "--version"), version("buildah", "--version"), version("docker-registry", "--version")]),
    ]


def main():
    parser = argparse.ArgumentParser()
    for name in ("bin", "stage", "place", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    known = ["start", "exec", "network", "throughput", "v2", "oci-run", "oci-create-start-delete", "detached", "thousand", "small", "pull", "build"]
    cases = options.cases or known
    unknown = [case for case in cases if case not in known]
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)} ({', '.join(known)})")
    facts = machine(options)
    print("\n".join(facts), flush=True)
    bench = Bench(options)
    failed = []
    try:
        for case in cases:
            print(f"{case}:", flush=True)
            try:
                if case == "v2":
                    guest.measure(bench)
                else:
                    getattr(bench, case.replace("-", "_"))()
            except (Failed, subprocess.CalledProcessError) as error:
                failed.append(case)
                bench.table.note(case, f"**failed**: {error}".replace("|", "/").replace(options.stage, "STAGE"))
    finally:
        bench.close()
    date = datetime.date.today().isoformat()
    text = f"# {date}\n\n" + "\n".join(facts) + "\n\n" + bench.table.markdown() + "\n"
    print("\n" + bench.table.markdown())
    if not options.quick and cases == known:
        kind = f"{os.cpu_count()}cpu-{platform.machine()}-{'hybrid' if HYBRID else 'v2'}"
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results", f"{date}-{kind}.md")
        with open(path, "w") as file:
            file.write(text)
        print(f"\nwritten to {os.path.relpath(path)}")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
