"""The build contexts that are measured."""

import os
import random
import subprocess

FILES, BYTES = 5000, 50 << 20

DOCKERFILE = """\
FROM scratch
COPY rootfs /
COPY tree /srv/tree
RUN echo made >/srv/made
WORKDIR /srv
RUN cat made && cp made again
CMD ["sh"]
"""


def unpack(archive, directory):
    os.makedirs(directory)
    subprocess.run(["tar", "-C", directory, "-xpf", archive], check=True)


def make(directory, tiny):
    """busybox's files, 5,000 files of 50 MB in 100 directories, and a Dockerfile of six steps."""
    unpack(tiny, f"{directory}/rootfs")
    shuffle = random.Random(5)
    for number in range(FILES):
        place = f"{directory}/tree/{number % 100:02}"
        os.makedirs(place, exist_ok=True)
        with open(f"{place}/{number}", "wb") as file:
            file.write(shuffle.randbytes(BYTES // FILES))
    with open(f"{directory}/Dockerfile", "w") as file:
        file.write(DOCKERFILE)
    # A digest is believed only of a file that has been left alone for two seconds.
    old = os.stat(f"{directory}/Dockerfile").st_mtime - 100
    for parent, _, names in os.walk(directory):
        for name in names:
            if not os.path.islink(f"{parent}/{name}"):
                os.utime(f"{parent}/{name}", (old, old))


def with_steps(directory, tiny, count):
    """Nothing but RUNs that do nothing."""
    unpack(tiny, f"{directory}/rootfs")
    with open(f"{directory}/Dockerfile", "w") as file:
        file.write("FROM scratch\nCOPY rootfs /\n" + "".join(f'RUN ["true", "{n}"]\n' for n in range(count)))

