"""Times of programs, from posix_spawn to wait4."""

import json
import os
import statistics
import subprocess
import sys
import time


class Failed(Exception):
    pass


def spawn(command, environment=None, output=None):
    """Runs a program to its end: (milliseconds, exit code, peak resident KiB of it and what it reaped)."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output or "/dev/null", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2) if output is None else (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
    ]
    begin = time.perf_counter_ns()
    pid = os.posix_spawn(command[0], command, environment or os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    took = (time.perf_counter_ns() - begin) / 1e6
    return took, os.waitstatus_to_exitcode(status), usage.ru_maxrss


def timed(command, environment=None):
    took, code, _ = spawn(command, environment)
    if code != 0:
        raise Failed(f"exit code {code}: {' '.join(command)}")
    return took


class Agent:
    """Times programs from another mount namespace: entered once, so that entering is not timed."""

    def __init__(self, prepare):
        script = f"{prepare}; exec {sys.executable} {os.path.abspath(__file__)}"
        self.process = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", script],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def spawn(self, command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Failed("the measuring agent is gone")
        return json.loads(answer)

    def timed(self, command):
        took, code, _ = self.spawn(command)
        if code != 0:
            raise Failed(f"exit code {code}: {' '.join(command)}")
        return took

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Series:
    """Figures of one thing; reads as `median [least-most]`."""

    def __init__(self, values, unit="ms"):
        self.values = list(values)
        self.unit = unit

    @property
    def median(self):
        return statistics.median(self.values)

    def __str__(self):
        def number(value):
            return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"

        text = f"{number(self.median)} {self.unit}"
        if len(self.values) > 1:
            text += f" [{number(min(self.values))}-{number(max(self.values))}]"
        return text


def by_turns(rounds, pause, *works):
    """One figure of each work a round, so that a noisy minute hits all of them."""
    figures = [[] for _ in works]
    for work in works:
        work()
    for _ in range(rounds):
        for index, work in enumerate(works):
            if pause:
                time.sleep(pause)
            figures[index].append(work())
    return [Series(values) for values in figures]


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(spawn(json.loads(line))), flush=True)
