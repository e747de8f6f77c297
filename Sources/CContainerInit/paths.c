#include "internal.h"

#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/statfs.h>

#define MOST_LINKS 40

long path_open(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    // EAGAIN: a `..` raced with a rename, the kernel could not tell whether it stays inside. Ask again.
    for (int tries = 0;; tries++) {
        long fd = CALL(SYS_openat2, dir, path, &how, sizeof how);
        if (fd != -EAGAIN || tries > 128) return fd;
    }
}

long path_root(struct context *c) {
    if (c->root >= 0) return c->root;
    long fd = path_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
    return fd < 0 ? fd : (c->root = (int)fd);
}

long path_stat(int fd, struct stat *out) { return fstat(fd, out) < 0 ? -(long)errno : 0; }

long path_type(int fd) {
    struct statfs s;
    long r = CALL(SYS_fstatfs, fd, &s);
    return r < 0 ? r : (long)s.f_type;
}

// Opens the longest part of the path that is there; answers its descriptor and where the rest begins.
static long longest_there(int root, char *path, size_t *rest) {
    size_t end = strlen(path);
    while (end > 0) {
        while (end > 0 && path[end - 1] != '/') end--;
        *rest = end;
        while (end > 0 && path[end - 1] == '/') end--;
        char kept = path[end];
        path[end] = 0;
        long fd = path_open(root, end ? path : ".", O_PATH | O_DIRECTORY, 0, IN_ROOT);
        path[end] = kept;
        if (fd != -ENOENT) return fd;
    }
    *rest = 0;
    return path_open(root, ".", O_PATH | O_DIRECTORY, 0, IN_ROOT);
}

// Replaces the name at [start, end) of the path, a dangling link, by what it points to.
static long expand_link(char *path, size_t start, size_t end, const char *target, size_t length) {
    char whole[4096];
    size_t kept = target[0] == '/' ? 0 : start, tail = strlen(path + end);
    if (kept + length + tail + 1 > sizeof whole) return -ENAMETOOLONG;
    memcpy(whole, path, kept);
    memcpy(whole + kept, target, length);
    memcpy(whole + kept + length, path + end, tail + 1);
    memcpy(path, whole, kept + length + tail + 1);
    return 0;
}

long path_ensure(int root, const char *wanted, bool directory) {
    char path[4096];
    size_t size = strlen(wanted);
    if (size == 0 || size >= sizeof path) return size ? -ENAMETOOLONG : -ENOENT;
    memcpy(path, wanted, size + 1);
    for (size_t end = size; end > 1 && path[end - 1] == '/'; end--) path[end - 1] = 0;
    int links = 0;
    // Each round makes one name or expands one link; a path has at most 2048 names.
    for (int round = 0; round < 2200; round++) {
        long fd = path_open(root, path, O_PATH | (directory ? O_DIRECTORY : 0), 0, IN_ROOT);
        if (fd != -ENOENT) return fd;
        size_t start = 0;
        long parent = longest_there(root, path, &start);
        if (parent < 0) return parent;
        size_t end = start;
        while (path[end] && path[end] != '/') end++;
        char name[256];
        if (end == start || end - start >= sizeof name) { shut((int)parent); return end == start ? -ENOENT : -ENAMETOOLONG; }
        memcpy(name, path + start, end - start);
        name[end - start] = 0;
        bool last = path[end] == 0;
        long made;
        if (last && !directory) {
            made = CALL(SYS_openat, (int)parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
            if (made >= 0) shut((int)made);
        } else {
            made = CALL(SYS_mkdirat, (int)parent, name, 0755);
        }
        if (made == -EEXIST) {
            // A link that points to nothing (yet): the place it points to, seen from the root, is what is meant.
            char target[4096];
            long n = CALL(SYS_readlinkat, (int)parent, name, target, sizeof target - 1);
            made = 0;
            if (n > 0) made = ++links > MOST_LINKS ? -ELOOP : expand_link(path, start, end, target, (size_t)n);
        }
        shut((int)parent);
        if (made < 0) return made;
    }
    return -ELOOP;
}

long path_ensure_parent(int root, const char *path, const char **name) {
    char parent[4096];
    size_t size = strlen(path);
    while (size > 0 && path[size - 1] == '/') return -EINVAL;
    size_t start = size;
    while (start > 0 && path[start - 1] != '/') start--;
    if (size == 0 || size >= sizeof parent) return -EINVAL;
    *name = path + start;
    if (!strcmp(*name, ".") || !strcmp(*name, "..")) return -EINVAL;
    memcpy(parent, path, start);
    parent[start] = 0;
    return path_ensure(root, start ? parent : ".", true);
}

static long own_proc(void) {
    long context = CALL(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
    if (context < 0) return context;
    long fd = CALL(SYS_fsconfig, (int)context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    if (fd >= 0) fd = CALL(SYS_fsmount, (int)context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    shut((int)context);
    return fd;
}

long path_proc(struct context *c) {
    if (c->proc >= 0) return c->proc;
    // Once a root is joined or pivoted to, a path may be the container's work; a new instance is the kernel's.
    bool host = !c->pivoted;
    long fd = host ? path_open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, 0) : own_proc();
    if (fd < 0) return fd;
    if (path_type((int)fd) != PROC_SUPER_MAGIC) {
        shut((int)fd);
        return FAIL(c, CTR_DETAIL_NOT_PROC, -ENOTSUP);
    }
    return c->proc = (int)fd;
}

long path_write_proc(struct context *c, const char *name, const char *value, size_t size) {
    long proc = path_proc(c);
    if (proc < 0) return proc;
    long fd = path_open((int)proc, name, O_WRONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
    if (fd < 0) return fd;
    long r = path_type((int)fd) == PROC_SUPER_MAGIC ? CALL(SYS_write, (int)fd, value, size)
                                                     : FAIL(c, CTR_DETAIL_NOT_PROC, -ENOTSUP);
    shut((int)fd);
    return r < 0 ? r : 0;
}
