"""The case `throughput`: bytes through ctr's bridge and a published port, beside the same made by hand with ip and nft."""

import contextlib
import json
import os
import shutil
import subprocess
import time

from measure import Failed, by_turns

# What ctr's own rules do for these packets, the guard of senders among it, written as a person would.
BY_HAND = """
table inet hand {
  chain forward { type filter hook forward priority 0; policy accept;
    ct state established,related accept
    iifname "hand" oifname "hand" accept
    oifname "hand" ct status dnat accept
    oifname "hand" drop
  }
  chain prerouting { type nat hook prerouting priority -100;
    fib daddr type local tcp dport 8080 dnat ip to 10.99.0.3:5201
  }
  chain postrouting { type nat hook postrouting priority 100;
    ip saddr 10.99.0.0/24 oifname != "hand" masquerade
  }
}
table bridge hand {
  set senders { type ifname . ether_addr . ipv4_addr; }
  chain prerouting { type filter hook prerouting priority -300; policy accept;
    iifname "hand-*" ether type ip iifname . ether saddr . ip saddr @senders accept
    iifname "hand-*" ether type ip drop
  }
}
"""


class Place:
    """A network namespace, for as long as this process lives."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "--net", "sleep", "100000"])
        while os.readlink(f"/proc/{self.process.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            time.sleep(0.01)
        self.pid = self.process.pid

    def close(self):
        self.process.kill()
        self.process.wait()


def inside(pid, *words):
    return ["/usr/bin/nsenter", "-t", str(pid), "-n", *words]


def output(pid, *words):
    return subprocess.run(inside(pid, *words), check=True, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True).stdout


def script(pid, text):
    subprocess.run(inside(pid, "sh", "-ec", text), check=True, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def places(count):
    made = []
    try:
        for _ in range(count):
            made.append(Place())
        yield made
    finally:
        for one in made:
            one.close()


def gigabits(client, address, port):
    """Of one stream of a gigabyte."""
    answer = json.loads(output(client, "iperf3", "-c", address, "-p", str(port), "-n", "1G", "-J"))
    if "error" in answer:
        raise Failed(f"iperf3: {answer['error']}")
    return answer["end"]["sum_received"]["bits_per_second"] / 1e9


def wire(host, outside):
    script(host.pid, f"""
        ip link set lo up; ip link add uplink type veth peer name wire netns {outside.pid}
        ip addr add 192.0.2.1/24 dev uplink; ip link set uplink up""")
    script(outside.pid, "ip link set lo up; ip addr add 192.0.2.2/24 dev wire; ip link set wire up")


def make_by_hand(host, containers):
    script(host.pid, """
        ip link add hand type bridge stp_state 0 mcast_snooping 0; ip link set hand up
        ip addr add 10.99.0.1/24 dev hand; echo 1 >/proc/sys/net/ipv4/ip_forward""")
    senders = []
    for number, container in enumerate(containers):
        address = f"10.99.0.{number + 2}"
        script(host.pid, f"""
            ip link add hand-{number} type veth peer name eth0 netns {container.pid}
            ip link set hand-{number} master hand up; bridge link set dev hand-{number} hairpin on""")
        script(container.pid, f"""
            ip link set lo up; ip link set eth0 up; ip addr add {address}/24 dev eth0
            ip route add default via 10.99.0.1""")
        (link,) = json.loads(output(container.pid, "ip", "-j", "link", "show", "eth0"))
        senders.append(f"hand-{number} . {link['address']} . {address}")
    rules = BY_HAND + "".join(f"add element bridge hand senders {{ {one} }}\n" for one in senders)
    subprocess.run(inside(host.pid, "nft", "-f", "-"), check=True, input=rules, text=True)


def measure(bench):
    if not shutil.which("iperf3", path="/usr/bin"):
        bench.table.note("throughput", "iperf3 is not installed")
        return
    bench.tiny()
    with places(4) as (host, outside, hand_host, hand_outside), places(2) as by_hand:
        servers = []
        names = [f"{bench.prefix}-t{number}" for number in range(2)]
        ctr = lambda *words: inside(host.pid, *bench.ctr(*words))
        try:
            wire(host, outside)
            wire(hand_host, hand_outside)
            make_by_hand(hand_host, by_hand)
            for name, flags in zip(names, ([], ["-p", "8080:5201"])):
                bench.output(ctr("run", "-d", "--name", name, "--network", "bridge", *flags, "tiny", "sleep", "100000"))
            pids = [int(bench.output(ctr("inspect", "-f", "{{.State.Pid}}", name))) for name in names]
            address = bench.output(ctr("inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", names[1]))
            for pid in (pids[1], by_hand[1].pid):
                servers.append(subprocess.Popen(inside(pid, "iperf3", "-s"), stdout=subprocess.DEVNULL))
            time.sleep(0.5)
            ways = [
                ("container to container", (pids[0], address.strip(), 5201), (by_hand[0].pid, "10.99.0.3", 5201)),
                ("through a published port", (outside.pid, "192.0.2.1", 8080), (hand_outside.pid, "192.0.2.1", 8080)),
            ]
            for name, ours, theirs in ways:
                mine, peer = by_turns(bench.rounds(60), 0, lambda: gigabits(*ours), lambda: gigabits(*theirs))
                mine.unit = peer.unit = "Gbit/s"
                bench.table.add(name, mine, ("bridge, veth pairs and rules by hand", peer), "at least 0.95",
                                mine.median >= 0.95 * peer.median)
        finally:
            for server in servers:
                server.kill()
                server.wait()
            subprocess.run(ctr("rm", "-f", *names), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
