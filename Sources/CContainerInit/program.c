#include "internal.h"

#include <sys/mman.h>
#include <sys/prctl.h>

// 0 if this identity can execute the path; as a shell sees it, a directory is "permission denied"'s kin.
static long can_execute(const char *path) {
    struct stat s;
    if (fstatat(AT_FDCWD, path, &s, 0) < 0) return -(long)errno;
    if (S_ISDIR(s.st_mode)) return -EISDIR;
    if (!S_ISREG(s.st_mode)) return -EACCES;
    return CALL(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS);
}

long program_find(struct context *c, const char *name, const char *search) {
    size_t size = strlen(name);
    if (size == 0 || size >= sizeof c->program) return size ? -ENAMETOOLONG : -ENOENT;
    for (const char *p = name; *p; p++)
        if (*p == '/') {
            memcpy(c->program, name, size + 1);
            return can_execute(c->program);
        }
    long worst = -ENOENT;
    for (const char *start = search, *end; start; start = *end ? end + 1 : NULL) {
        for (end = start; *end && *end != ':';) end++;
        size_t length = (size_t)(end - start);
        if (length + 2 + size >= sizeof c->program) continue;
        memcpy(c->program, start, length);
        // An empty entry is the working directory.
        if (length == 0) c->program[length++] = '.';
        c->program[length] = '/';
        memcpy(c->program + length + 1, name, size + 1);
        long r = can_execute(c->program);
        if (r >= 0) return r;
        if (r == -EACCES || r == -EISDIR) worst = -EACCES;
    }
    c->program[0] = 0;
    return FAIL(c, CTR_DETAIL_NOT_IN_PATH, worst);
}

long program_working_directory(struct context *c, const char *path, bool create) {
    // Never by chdir(path): a magic link (/proc/self/fd/N) would lead to a directory of the host (CVE-2024-21626).
    long root = path_root(c);
    if (root < 0) return root;
    long fd = path_open(c->root, path, O_PATH | O_DIRECTORY, 0, IN_ROOT);
    if (fd == -ENOENT && create) fd = path_ensure(c->root, path, true);
    if (fd < 0) return fd;
    long r = CALL(SYS_fchdir, (int)fd);
    shut((int)fd);
    if (r < 0) return r;
    char here[4096];
    r = CALL(SYS_getcwd, here, sizeof here);
    // Outside of the root the kernel answers "(unreachable)/…".
    if (r < 0 || here[0] != '/') return FAIL(c, CTR_DETAIL_OUTSIDE, r < 0 ? r : -EXDEV);
    return 0;
}

// What is not the program's, but for two descriptors that are still needed.
static void close_own(struct context *c, int one, int other) {
    int low = one < other ? one : other, high = one < other ? other : one, first = c->first_own;
    if (first < 3) return;
    if (low > first) CALL(SYS_close_range, first, low - 1, 0);
    if (low < first) low = first - 1;
    if (high > low + 1) CALL(SYS_close_range, low + 1, high - 1, 0);
    CALL(SYS_close_range, (high < first ? first - 1 : high) + 1, ~0U, 0);
    c->root = c->proc = c->null_mount = c->empty_mount = -1;
}

long program_await_start(struct context *c, int fd) {
    if (fd < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    // The creator's lock is one of them: it must not outlive the creator here.
    close_own(c, fd, c->status);
    // Whoever created this process may end as soon as it has heard; the start comes from another.
    CALL(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
    long r = report(c, CTR_REPORT_CREATED, 0, -1);
    if (r < 0) return r;
    // Below a descriptor that is searched, not through /proc: by now this is anybody, in any namespace.
    long fifo = CALL(SYS_openat, fd, "exec.fifo", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fifo < 0) return fifo;
    r = CALL(SYS_write, (int)fifo, "", 1);
    // It stays open until execve closes it: that is what `start` waits for.
    c->start = (int)fifo;
    return r < 0 ? r : 0;
}

// args: how many arguments; strings: the arguments, then the environment.
long program_execute(struct context *c, const struct step *step) {
    uint64_t arguments = step->args[0], environment = step->string_count - arguments;
    if (arguments == 0 || !c->program[0]) return FAIL(c, CTR_DETAIL_MALFORMED, -EINVAL);
    size_t room = (arguments + environment + 2) * sizeof(char *);
    void *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -ENOMEM;
    const char **argv = memory, **envp = argv + arguments + 1;
    for (uint64_t i = 0; i < arguments; i++) argv[i] = text(step, (uint32_t)i);
    for (uint64_t i = 0; i < environment; i++) envp[i] = text(step, (uint32_t)(arguments + i));
    if (!c->umask_set) CALL(SYS_umask, c->old_umask);
    return CALL(SYS_execve, c->program, argv, envp);
}
