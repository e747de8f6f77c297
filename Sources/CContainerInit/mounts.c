#include "internal.h"

#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/sysmacros.h>

#define MS_REC_ 0x4000UL
#define MS_PRIVATE_ (1UL << 18)
#define MS_SLAVE_ (1UL << 19)
#define MNT_DETACH_ 2

long mount_attributes(int fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive) {
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation & ~MS_REC_};
    return CALL(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes, sizeof attributes);
}
long mount_move(int from, int to) {
    return CALL(SYS_move_mount, from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}
long mount_clone(int fd, bool recursive) {
    return CALL(SYS_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0));
}

long mount_set_propagation(struct context *c, uint64_t flags) {
    (void)c;
    return CALL(SYS_mount, NULL, "/", NULL, MS_REC_ | flags, NULL);
}

long mount_attach_root(struct context *c, int fd, const char *place, bool shares_mounts) {
    if (fd < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    // Behind a joined mount namespace's own root, `/` is the host of this one.
    c->pivoted = false;
    c->shares_mounts = shares_mounts;
    c->covers_root = !strcmp(place, "/");
    // pivot_root refuses a shared parent; with setPropagation(MS_SHARED) the old root would be one.
    long r = shares_mounts ? 0 : CALL(SYS_mount, NULL, "/", NULL, MS_PRIVATE_, NULL);
    if (r < 0) return r;
    // What is mounted below the root on the host came along, and is still of one group with it.
    r = mount_attributes(fd, 0, 0, MS_SLAVE_, true);
    if (r < 0) return FAIL(c, CTR_DETAIL_ATTRIBUTES, r);
    // Over `/` itself no directory of the host is needed, and the old root beneath is let go by pivotRoot. Where hooks
    // want to see it, at a bundle's own path.
    r = CALL(SYS_move_mount, fd, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH);
    if (r < 0) return FAIL(c, CTR_DETAIL_ATTACH, r);
    // Nor a shared new root, as a bind of a directory is where the host's mounts are shared (systemd).
    r = mount_attributes(fd, 0, 0, MS_PRIVATE_, false);
    if (r < 0) return FAIL(c, CTR_DETAIL_ATTRIBUTES, r);
    c->root = fd;
    c->attached = true;
    return 0;
}

static bool below_proc(const char *path) { return !strncmp(path, "/proc", 5) && (path[5] == 0 || path[5] == '/'); }

// The place for a mount. procfs and sysfs go to a real directory only: behind a link of the image's, /proc/self of
// programs and of the masks' paths would be whatever the link says.
static long place(struct context *c, const char *path, bool directory, bool no_links) {
    if (c->root < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long fd;
    if (no_links) {
        fd = path_open(c->root, path, O_PATH | O_DIRECTORY, 0, IN_ROOT | RESOLVE_NO_SYMLINKS);
        if (fd == -ELOOP) return FAIL(c, CTR_DETAIL_SYMLINK, fd);
        if (fd == -ENOENT) {
            fd = path_ensure(c->root, path, true);
            if (fd >= 0) {
                shut((int)fd);
                fd = path_open(c->root, path, O_PATH | O_DIRECTORY, 0, IN_ROOT | RESOLVE_NO_SYMLINKS);
                if (fd == -ELOOP) return FAIL(c, CTR_DETAIL_SYMLINK, fd);
            }
        }
    } else {
        fd = path_ensure(c->root, path, directory);
    }
    if (fd < 0) return FAIL(c, CTR_DETAIL_TARGET, fd);
    // A link of the image's that leads a volume into /proc would put files of its choice there.
    if (!below_proc(path) && path_type((int)fd) == PROC_SUPER_MAGIC) {
        shut((int)fd);
        return FAIL(c, CTR_DETAIL_SYMLINK, -EPERM);
    }
    return fd;
}

// The strings from `first` on: key and value in turn.
static long set_options(struct context *c, int context, const struct step *step, uint32_t first) {
    for (uint32_t i = first; i + 1 < step->string_count; i += 2) {
        const char *key = text(step, i), *value = text(step, i + 1);
        long r = *value ? CALL(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0)
                        : CALL(SYS_fsconfig, context, FSCONFIG_SET_FLAG, key, NULL, 0);
        if (r < 0) return FAIL(c, CTR_DETAIL_OPTION | ((i - first) / 2) << 8, r);
    }
    return 0;
}

static long configure(struct context *c, int context, const struct step *step) {
    long r = 0;
    if (*text(step, 1)) r = CALL(SYS_fsconfig, context, FSCONFIG_SET_STRING, "source", text(step, 1), 0);
    if (r < 0) return FAIL(c, CTR_DETAIL_FILE_SYSTEM, r);
    r = set_options(c, context, step, 3);
    if (r < 0) return r;
    r = CALL(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    return r < 0 ? FAIL(c, CTR_DETAIL_FILE_SYSTEM, r) : 0;
}

// Clones what `from` names, sets attributes and attaches it at `to`.
static long bind_over(struct context *c, int from, int to, uint64_t attributes, bool recursive, int *kept) {
    long tree = mount_clone(from, recursive);
    if (tree < 0) return FAIL(c, CTR_DETAIL_ATTACH, tree);
    long r = attributes ? mount_attributes((int)tree, attributes, 0, 0, recursive) : 0;
    if (r < 0) c->detail = CTR_DETAIL_ATTRIBUTES;
    if (r >= 0) {
        r = mount_move((int)tree, to);
        if (r < 0) c->detail = CTR_DETAIL_ATTACH;
    }
    if (r >= 0 && kept) *kept = (int)tree; else shut((int)tree);
    return r < 0 ? r : 0;
}

static long bind_kernels_own(struct context *c, const char *type, uint64_t attributes, int target) {
    if (c->pivoted) return -EPERM;
    bool proc = !strcmp(type, "proc"), sys = !strcmp(type, "sysfs");
    long from = path_open(AT_FDCWD, proc ? "/proc" : sys ? "/sys" : "/dev/mqueue", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, 0);
    // A host that has mounted no message queues shows none.
    if (from == -ENOENT && !proc && !sys) return 0;
    if (from < 0) return from;
    long kind = path_type((int)from), r = -EPERM;
    if (kind == (proc ? PROC_SUPER_MAGIC : sys ? SYSFS_MAGIC : 0x19800202)) {
        c->detail = CTR_DETAIL_NONE;
        r = bind_over(c, (int)from, target, attributes, true, NULL);
    }
    shut((int)from);
    return r;
}

// The file system of a step, attached nowhere.
static long make_file_system(struct context *c, const struct step *step, uint64_t attributes) {
    long context = CALL(SYS_fsopen, text(step, 0), FSOPEN_CLOEXEC);
    if (context < 0) return FAIL(c, CTR_DETAIL_FILE_SYSTEM, context);
    long r = configure(c, (int)context, step);
    if (r >= 0) {
        r = CALL(SYS_fsmount, (int)context, FSMOUNT_CLOEXEC, attributes);
        if (r < 0) c->detail = CTR_DETAIL_FILE_SYSTEM;
    }
    shut((int)context);
    return r;
}

// args: attributes, copyUp; strings: type, source, target, then key and value in turn.
long mount_new(struct context *c, const struct step *step) {
    const char *type = text(step, 0), *path = text(step, 2);
    bool kernels_own = !strcmp(type, "proc") || !strcmp(type, "sysfs");
    long target = place(c, path, true, kernels_own);
    if (target < 0) return target;
    // A tree that is copied up must be written to first.
    bool copy = step->args[1], read_only = step->args[0] & MOUNT_ATTR_RDONLY;
    uint64_t first = copy ? step->args[0] & ~(uint64_t)MOUNT_ATTR_RDONLY : step->args[0];
    long made = make_file_system(c, step, first), r = made;
    // In a user namespace that does not own the network (the ipc, the pid) namespace too, there is only the host's.
    if (made == -EPERM && (kernels_own || !strcmp(type, "mqueue"))) {
        r = bind_kernels_own(c, type, step->args[0], (int)target);
    } else if (r >= 0) {
        if (copy) {
            r = copy_up((int)target, (int)made);
            if (r >= 0 && read_only) r = mount_attributes((int)made, MOUNT_ATTR_RDONLY, 0, 0, false);
            if (r < 0) c->detail = CTR_DETAIL_COPY_UP;
        }
        if (r >= 0) {
            r = mount_move((int)made, (int)target);
            if (r < 0) c->detail = CTR_DETAIL_ATTACH;
        }
    }
    shut((int)made);
    shut((int)target);
    return r < 0 ? r : 0;
}

long mount_attach(struct context *c, int fd, const char *path, bool directory, uint64_t propagation) {
    if (fd < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long target = place(c, path, directory, false);
    if (target < 0) return target;
    // Before it is attached: what is mounted on the source meanwhile must not come in by a propagation not asked for.
    long r = propagation ? mount_attributes(fd, 0, 0, propagation, propagation & MS_REC_) : 0;
    if (r < 0) c->detail = CTR_DETAIL_ATTRIBUTES;
    if (r >= 0) {
        r = mount_move(fd, (int)target);
        if (r < 0) c->detail = CTR_DETAIL_ATTACH;
    }
    shut((int)target);
    return r;
}

// args: attributes, recursive; strings: source, target.
long mount_bind(struct context *c, const struct step *step) {
    if (c->root < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long source = path_open(c->root, text(step, 0), O_PATH, 0, IN_ROOT);
    if (source < 0) return source;
    struct stat s;
    long r = path_stat((int)source, &s), target = -1;
    if (r >= 0) r = target = place(c, text(step, 1), S_ISDIR(s.st_mode), false);
    if (r >= 0) r = bind_over(c, (int)source, (int)target, step->args[0], step->args[1], NULL);
    shut((int)target);
    shut((int)source);
    return r;
}

// args: attributes; strings: a directory of the host, which ctr itself has made, and the target.
long mount_bind_host(struct context *c, const struct step *step) {
    if (c->root < 0 || c->pivoted) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long source = path_open(AT_FDCWD, text(step, 0), O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
    if (source < 0) return source;
    long target = place(c, text(step, 1), true, false), r = target;
    if (r >= 0) r = bind_over(c, (int)source, (int)target, step->args[0], false, NULL);
    shut((int)target);
    shut((int)source);
    return r;
}

// The null device to hide files behind: the host's while it is visible, else the root's, and either way only if it
// is one (CVE-2025-31133: a container's /dev/null that is a link).
static long null_device(struct context *c) {
    long fd = c->pivoted ? path_open(c->root, "/dev/null", O_PATH | O_NOFOLLOW, 0, IN_ROOT | RESOLVE_NO_SYMLINKS)
                         : path_open(AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW, 0, 0);
    if (fd < 0) return FAIL(c, CTR_DETAIL_NOT_NULL, fd);
    struct stat s;
    long r = path_stat((int)fd, &s);
    if (r >= 0 && (!S_ISCHR(s.st_mode) || s.st_rdev != makedev(1, 3))) r = -ENODEV;
    if (r >= 0) return fd;
    shut((int)fd);
    return FAIL(c, CTR_DETAIL_NOT_NULL, r);
}

static long mask_file(struct context *c, int target) {
    if (c->null_mount >= 0) return bind_over(c, c->null_mount, target, 0, false, NULL);
    long null = null_device(c);
    if (null < 0) return null;
    // Once attached in the root it can be cloned again, before and after the pivot.
    long r = bind_over(c, (int)null, target, 0, false, &c->null_mount);
    // It still hears of what the host mounts over its own; the clones of this one do not.
    if (r >= 0) r = mount_attributes(c->null_mount, 0, 0, MS_PRIVATE_, false);
    shut((int)null);
    return r;
}

static long mask_directory(struct context *c, int target) {
    if (c->empty_mount >= 0) return bind_over(c, c->empty_mount, target, 0, false, NULL);
    long context = CALL(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) return FAIL(c, CTR_DETAIL_FILE_SYSTEM, context);
    long made = CALL(SYS_fsconfig, (int)context, FSCONFIG_SET_STRING, "nr_inodes", "2", 0);
    if (made >= 0) made = CALL(SYS_fsconfig, (int)context, FSCONFIG_SET_FLAG, "ro", NULL, 0);
    if (made >= 0) made = CALL(SYS_fsconfig, (int)context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    if (made >= 0)
        made = CALL(SYS_fsmount, (int)context, FSMOUNT_CLOEXEC,
                    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    shut((int)context);
    if (made < 0) return FAIL(c, CTR_DETAIL_FILE_SYSTEM, made);
    long r = mount_move((int)made, target);
    if (r < 0) { shut((int)made); return FAIL(c, CTR_DETAIL_ATTACH, r); }
    c->empty_mount = (int)made;
    return 0;
}

long mount_mask(struct context *c, const char *path) {
    if (c->root < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long target = path_open(c->root, path, O_PATH, 0, IN_ROOT);
    if (target == -ENOENT || target == -ENOTDIR) return 0;
    if (target < 0) return FAIL(c, CTR_DETAIL_TARGET, target);
    struct stat s;
    long r = path_stat((int)target, &s);
    if (r >= 0) r = S_ISDIR(s.st_mode) ? mask_directory(c, (int)target) : mask_file(c, (int)target);
    shut((int)target);
    return r;
}

long mount_read_only_path(struct context *c, const char *path) {
    if (c->root < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long target = path_open(c->root, path, O_PATH, 0, IN_ROOT);
    if (target == -ENOENT || target == -ENOTDIR) return 0;
    if (target < 0) return FAIL(c, CTR_DETAIL_TARGET, target);
    long r = bind_over(c, (int)target, (int)target, MOUNT_ATTR_RDONLY, true, NULL);
    shut((int)target);
    return r;
}

long mount_pivot(struct context *c) {
    if (c->root < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long old = path_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
    if (old < 0) return old;
    long r = CALL(SYS_fchdir, c->root);
    if (r >= 0) r = CALL(SYS_pivot_root, ".", ".");
    // The old root now lies over the new one; where the kernel leaves the working directory is not promised.
    if (r >= 0) r = CALL(SYS_fchdir, (int)old);
    // Unmounting must not be propagated to the host.
    if (r >= 0) r = CALL(SYS_mount, NULL, ".", NULL, MS_SLAVE_ | MS_REC_, NULL);
    if (r >= 0) r = CALL(SYS_umount2, ".", MNT_DETACH_);
    if (r >= 0) r = CALL(SYS_chdir, "/");
    shut((int)old);
    if (r >= 0) c->pivoted = true;
    return r;
}

// Without pivot_root(2), for hosts whose root is the kernel's first ramfs. The old root stays below, out of reach.
long mount_change_root(struct context *c) {
    if (c->root < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long r = 0;
    // Who joins the namespace later comes to what covers its root.
    if (!c->shares_mounts && !c->covers_root)
        r = CALL(SYS_move_mount, c->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
    return r < 0 ? FAIL(c, CTR_DETAIL_ATTACH, r) : mount_enter_root(c, c->root);
}

long mount_enter_root(struct context *c, int fd) {
    long r = CALL(SYS_fchdir, fd);
    if (r >= 0) r = CALL(SYS_chroot, ".");
    if (r >= 0) r = CALL(SYS_chdir, "/");
    if (r < 0) return r;
    c->root = fd;
    c->pivoted = true;
    return 0;
}

// args: attributes to set and to clear; strings: the place, then key and value in turn.
long mount_again(struct context *c, const struct step *step) {
    if (c->root < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long fd = path_open(c->root, text(step, 0), O_PATH, 0, IN_ROOT);
    if (fd < 0) return FAIL(c, CTR_DETAIL_TARGET, fd);
    long context = -1, r = 0;
    if (step->string_count > 1) {
        r = context = CALL(SYS_fspick, (int)fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
        if (r < 0) c->detail = CTR_DETAIL_FILE_SYSTEM;
        if (r >= 0) r = set_options(c, (int)context, step, 1);
        if (r >= 0) {
            r = CALL(SYS_fsconfig, (int)context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
            if (r < 0) c->detail = CTR_DETAIL_FILE_SYSTEM;
        }
    }
    if (r >= 0) {
        r = mount_attributes((int)fd, step->args[0], step->args[1], 0, false);
        if (r < 0) c->detail = CTR_DETAIL_ATTRIBUTES;
    }
    shut((int)context);
    shut((int)fd);
    return r < 0 ? r : 0;
}

long mount_propagation(struct context *c, const char *path, uint64_t flags) {
    if (c->root < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long fd = path_open(c->root, path, O_PATH, 0, IN_ROOT);
    if (fd < 0) return FAIL(c, CTR_DETAIL_TARGET, fd);
    long r = mount_attributes((int)fd, 0, 0, flags, flags & MS_REC_);
    shut((int)fd);
    return r;
}
