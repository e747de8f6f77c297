#include "internal.h"

#include <linux/close_range.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <termios.h>

long stream_standard(struct context *c, int in, int out, int error) {
    int wanted[3] = {in, out, error}, moved[3];
    // All are copied out of the way first: a source may be one of the targets.
    for (int i = 0; i < 3; i++) {
        if (wanted[i] < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
        moved[i] = (int)CALL(SYS_fcntl, wanted[i], F_DUPFD_CLOEXEC, 3);
        if (moved[i] < 0) return moved[i];
    }
    for (int i = 0; i < 3; i++) {
        long r = CALL(SYS_dup3, moved[i], i, 0);
        if (r < 0) return r;
        shut(moved[i]);
    }
    return 0;
}

static long bind_console(struct context *c, int peer) {
    long target = path_ensure(c->root, "/dev/console", false);
    if (target < 0) return FAIL(c, CTR_DETAIL_TARGET, target);
    long tree = mount_clone(peer, false), r = tree;
    if (r >= 0) r = mount_move((int)tree, (int)target);
    if (r < 0) c->detail = CTR_DETAIL_ATTACH;
    shut((int)tree);
    shut((int)target);
    return r;
}

long stream_terminal(struct context *c, uint16_t rows, uint16_t columns) {
    // A pair of the container's own devpts, so that ttyname(3) finds it at /dev/pts/N. Its peer is opened from the
    // master, never by the path (CVE-2025-52565).
    long master = path_root(c);
    if (master >= 0) master = path_open(c->root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, 0, IN_ROOT | RESOLVE_NO_SYMLINKS);
    if (master < 0) return FAIL(c, CTR_DETAIL_NO_TERMINALS, master);
    if (path_type((int)master) != DEVPTS_SUPER_MAGIC) {
        shut((int)master);
        return FAIL(c, CTR_DETAIL_NO_TERMINALS, -ENODEV);
    }
    int unlock = 0;
    long r = CALL(SYS_ioctl, (int)master, TIOCSPTLCK, &unlock), peer = -1;
    if (r >= 0) r = peer = CALL(SYS_ioctl, (int)master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    if (r >= 0 && (rows || columns)) r = CALL(SYS_ioctl, (int)master, TIOCSWINSZ, &size);
    if (r >= 0) r = report(c, CTR_REPORT_TERMINAL, 0, (int)master);
    if (r >= 0 && c->attached) r = bind_console(c, (int)peer);
    if (r >= 0) r = CALL(SYS_ioctl, (int)peer, TIOCSCTTY, 0);
    if (r >= 0) r = stream_standard(c, (int)peer, (int)peer, (int)peer);
    c->has_terminal = r >= 0;
    shut((int)peer);
    shut((int)master);
    return r;
}

long stream_close(struct context *c, uint64_t keep) {
    if (keep > 1 << 16) return -EINVAL;
    int first = 3 + (int)keep;
    if (c->status < first) {
        long moved = CALL(SYS_fcntl, c->status, F_DUPFD_CLOEXEC, first);
        if (moved < 0) return moved;
        shut(c->status);
        c->status = (int)moved;
    }
    c->first_own = first;
    for (int fd = 3; fd < first; fd++) {
        long r = CALL(SYS_fcntl, fd, F_SETFD, 0);
        if (r < 0) return r;
    }
    // At exec, not now: the steps that follow still use some.
    return CALL(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC);
}
