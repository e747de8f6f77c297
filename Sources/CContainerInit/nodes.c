#include "internal.h"

#include <dirent.h>
#include <sys/sysmacros.h>

#define DEEPEST 64

long node_directory(struct context *c, const char *path, uint32_t mode) {
    long fd = path_open(c->root, path, O_PATH | O_DIRECTORY, 0, IN_ROOT);
    if (fd == -ENOENT) {
        const char *name;
        long parent = path_ensure_parent(c->root, path, &name);
        if (parent < 0) return FAIL(c, CTR_DETAIL_TARGET, parent);
        fd = CALL(SYS_mkdirat, (int)parent, name, mode);
        shut((int)parent);
        return fd == -EEXIST ? 0 : fd;
    }
    if (fd < 0) return fd;
    shut((int)fd);
    return 0;
}

long node_symlink(struct context *c, const char *target, const char *path) {
    const char *name;
    long parent = path_ensure_parent(c->root, path, &name);
    if (parent < 0) return FAIL(c, CTR_DETAIL_TARGET, parent);
    long r = CALL(SYS_symlinkat, target, (int)parent, name);
    if (r == -EEXIST) {
        // An image may bring the same link.
        char there[4096];
        long n = CALL(SYS_readlinkat, (int)parent, name, there, sizeof there);
        if (n > 0 && (size_t)n == strlen(target) && !memcmp(there, target, (size_t)n)) {
            r = 0;
        } else {
            // Some bring nodes or files of these names, which would not be the container's own.
            n = CALL(SYS_unlinkat, (int)parent, name, 0);
            // What the caller has mounted there is meant to be there.
            if (n >= 0) r = CALL(SYS_symlinkat, target, (int)parent, name);
            else if (n == -EBUSY) r = 0;
        }
    }
    shut((int)parent);
    return r;
}

// Where mknod is forbidden (user namespaces) the host's node of the same path is bound, if it is the same device.
static long bind_host_device(struct context *c, const struct step *step, dev_t device) {
    if (c->pivoted) return -EPERM;
    long host = path_open(AT_FDCWD, text(step, 0), O_PATH | O_NOFOLLOW, 0, 0);
    if (host < 0) return host;
    struct stat s;
    long r = path_stat((int)host, &s), tree = -1, target = -1;
    if (r >= 0 && (s.st_rdev != device || (s.st_mode & S_IFMT) != (step->args[0] & S_IFMT))) r = -ENODEV;
    if (r >= 0) r = tree = mount_clone((int)host, false);
    // Else it would be a slave of the host's, and hear what is mounted over that.
    if (r >= 0) r = mount_attributes((int)tree, 0, 0, 1UL << 18 /* MS_PRIVATE */, false);
    if (r >= 0) r = target = path_ensure(c->root, text(step, 0), false);
    if (r >= 0) r = mount_move((int)tree, (int)target);
    shut((int)host);
    shut((int)tree);
    shut((int)target);
    return r;
}

// args: mode, major, minor, uid, gid; strings: path.
long node_device(struct context *c, const struct step *step) {
    dev_t device = makedev((unsigned)step->args[1], (unsigned)step->args[2]);
    uint32_t mode = (uint32_t)step->args[0];
    const char *name;
    long parent = path_ensure_parent(c->root, text(step, 0), &name);
    if (parent < 0) return FAIL(c, CTR_DETAIL_TARGET, parent);
    long r = CALL(SYS_mknodat, (int)parent, name, mode, device);
    if (r == -EPERM) {
        shut((int)parent);
        return bind_host_device(c, step, device);
    }
    if (r == -EEXIST) {
        struct stat s;
        r = fstatat((int)parent, name, &s, AT_SYMLINK_NOFOLLOW) < 0 ? -(long)errno : 0;
        if (r >= 0 && (s.st_rdev != device || (s.st_mode & S_IFMT) != (mode & S_IFMT))) r = -EEXIST;
    }
    if (r >= 0 && (step->args[3] || step->args[4]))
        r = CALL(SYS_fchownat, (int)parent, name, (uid_t)step->args[3], (gid_t)step->args[4], AT_SYMLINK_NOFOLLOW);
    shut((int)parent);
    return r;
}

// ---- copying what the image has below a new file system

static long copy_file(int from_dir, int to_dir, const char *name, const struct stat *s) {
    long from = path_open(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, RESOLVE_NO_SYMLINKS);
    if (from < 0) return from;
    long to = path_open(to_dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600, RESOLVE_NO_SYMLINKS), r = to;
    while (r >= 0) {
        r = CALL(SYS_sendfile, (int)to, (int)from, NULL, 1 << 20);
        if (r == 0) break;
    }
    if (r >= 0) r = CALL(SYS_fchown, (int)to, s->st_uid, s->st_gid);
    if (r >= 0) r = CALL(SYS_fchmod, (int)to, s->st_mode & 07777);
    shut((int)to);
    shut((int)from);
    return r;
}

static long copy_children(int from, int to, int depth);

static long copy_entry(int from, int to, const char *name, int depth) {
    struct stat s;
    if (fstatat(from, name, &s, AT_SYMLINK_NOFOLLOW) < 0) return -(long)errno;
    if (S_ISREG(s.st_mode)) return copy_file(from, to, name, &s);
    if (S_ISLNK(s.st_mode)) {
        char target[4096];
        long n = CALL(SYS_readlinkat, from, name, target, sizeof target - 1);
        if (n < 0) return n;
        target[n] = 0;
        n = CALL(SYS_symlinkat, target, to, name);
        return n < 0 ? n : CALL(SYS_fchownat, to, name, s.st_uid, s.st_gid, AT_SYMLINK_NOFOLLOW);
    }
    if (!S_ISDIR(s.st_mode)) {
        long r = S_ISSOCK(s.st_mode) ? 0 : CALL(SYS_mknodat, to, name, s.st_mode, s.st_rdev);
        return r < 0 || S_ISSOCK(s.st_mode) ? r : CALL(SYS_fchownat, to, name, s.st_uid, s.st_gid, AT_SYMLINK_NOFOLLOW);
    }
    long r = CALL(SYS_mkdirat, to, name, 0700);
    if (r < 0) return r;
    long source = path_open(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS), made = -1;
    r = source;
    if (r >= 0) r = made = path_open(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);
    if (r >= 0) r = copy_children((int)source, (int)made, depth + 1);
    if (r >= 0) r = CALL(SYS_fchown, (int)made, s.st_uid, s.st_gid);
    if (r >= 0) r = CALL(SYS_fchmod, (int)made, s.st_mode & 07777);
    shut((int)made);
    shut((int)source);
    return r;
}

static long copy_children(int from, int to, int depth) {
    if (depth > DEEPEST) return -ELOOP;
    char buffer[2048] __attribute__((aligned(8)));
    for (;;) {
        long size = CALL(SYS_getdents64, from, buffer, sizeof buffer);
        if (size <= 0) return size;
        for (long at = 0; at < size;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + at);
            at += entry->d_reclen;
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
            long r = copy_entry(from, to, entry->d_name, depth);
            if (r < 0) return r;
        }
    }
}

long copy_up(int from, int to) {
    long source = path_open(from, ".", O_RDONLY | O_DIRECTORY, 0, 0);
    if (source < 0) return source;
    struct stat s;
    long r = path_stat((int)source, &s);
    // Owner and mode of the directory come too, as an image's author meant them (/tmp 1777).
    long top = r < 0 ? r : path_open(to, ".", O_RDONLY | O_DIRECTORY, 0, 0);
    if (top >= 0) {
        r = copy_children((int)source, (int)top, 0);
        if (r >= 0) r = CALL(SYS_fchown, (int)top, s.st_uid, s.st_gid);
        if (r >= 0) r = CALL(SYS_fchmod, (int)top, s.st_mode & 07777);
        shut((int)top);
    } else {
        r = top;
    }
    shut((int)source);
    return r;
}
