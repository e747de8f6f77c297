#include "internal.h"

#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static size_t digits(char *to, unsigned number) {
    char reversed[12];
    size_t n = 0, at = 0;
    do reversed[n++] = (char)('0' + number % 10); while (number /= 10);
    while (n) to[at++] = reversed[--n];
    return at;
}

// The container's state as a file to read: what is before the pid, the pid as the container sees it, the rest.
static long state_file(const char *before, const char *after) {
    long fd = CALL(SYS_memfd_create, "state", MFD_CLOEXEC);
    if (fd < 0) return fd;
    char pid[12];
    size_t size = digits(pid, (unsigned)CALL(SYS_getpid));
    long r = CALL(SYS_write, (int)fd, before, strlen(before));
    if (r >= 0) r = CALL(SYS_write, (int)fd, pid, size);
    if (r >= 0) r = CALL(SYS_write, (int)fd, after, strlen(after));
    if (r >= 0) r = CALL(SYS_lseek, (int)fd, 0, SEEK_SET);
    if (r >= 0) return fd;
    shut((int)fd);
    return r;
}

static __attribute__((noreturn)) void execute_hook(
    const char *path, const char *const *argv, const char *const *envp, int input, int output, int answer) {
    CALL(SYS_dup3, input, 0, 0);
    if (output >= 0) {
        CALL(SYS_dup3, output, 1, 0);
        CALL(SYS_dup3, output, 2, 0);
    }
    CALL(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
    // What the runtime holds back for itself is the hook's to hear.
    uint64_t none = 0;
    CALL(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
    long r = CALL(SYS_execve, path, argv, envp);
    int error = (int)-r;
    CALL(SYS_write, answer, &error, sizeof error);
    CALL(SYS_exit_group, 127);
    __builtin_unreachable();
}

long ctr_init_run_hook(const char *path, const char *const *argv, const char *const *envp, int input, int output,
                       uint64_t milliseconds, int *status) {
    int answer[2], pidfd = -1, error = 0;
    long r = CALL(SYS_pipe2, answer, O_CLOEXEC);
    if (r < 0) return r;
    // Not clone3: filters that cannot look into its arguments, docker's among them, answer ENOSYS, and one may hold by now.
    long pid = CALL(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
    if (pid == 0) execute_hook(path, argv, envp, input, output, answer[1]);
    shut(answer[1]);
    if (pid > 0) CALL(SYS_read, answer[0], &error, sizeof error);
    shut(answer[0]);
    if (pid < 0) return pid;
    struct pollfd waited = {.fd = pidfd, .events = POLLIN};
    struct timespec limit = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
    bool late = CALL(SYS_ppoll, &waited, 1, milliseconds ? &limit : NULL, NULL, 0) == 0;
    if (late) CALL(SYS_kill, (pid_t)pid, SIGKILL);
    CALL(SYS_wait4, (pid_t)pid, status, 0, NULL);
    shut(pidfd);
    return error ? -error : late ? -ETIMEDOUT : 0;
}

// args: milliseconds (0: no limit), number of arguments, which of its kind, kind; strings: path, the state before and after the pid, the arguments,
// the environment.
long hook_run(struct context *c, const struct step *step) {
    uint32_t arguments = (uint32_t)step->args[1], rest = step->string_count - 3;
    if (arguments > rest) return FAIL(c, CTR_DETAIL_MALFORMED, -EINVAL);
    void *memory = mmap(NULL, (rest + 2) * sizeof(char *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -ENOMEM;
    const char **argv = memory, **envp = argv + arguments + 1;
    for (uint32_t i = 0; i < arguments; i++) argv[i] = text(step, 3 + i);
    for (uint32_t i = arguments; i < rest; i++) envp[i - arguments] = text(step, 3 + i);
    long state = state_file(text(step, 1), text(step, 2)), r = state;
    int status = 0;
    if (r >= 0) r = ctr_init_run_hook(text(step, 0), argv, envp, (int)state, -1, step->args[0], &status);
    shut((int)state);
    munmap(memory, (rest + 2) * sizeof(char *));
    uint32_t which = (uint32_t)step->args[2] << 24;
    if (r < 0) return FAIL(c, which | (r == -ETIMEDOUT ? CTR_DETAIL_HOOK_TIME : CTR_DETAIL_HOOK_PROGRAM), r);
    return status ? FAIL(c, which | CTR_DETAIL_HOOK_STATUS | (uint32_t)(status & 0xffff) << 8, -ECHILD) : 0;
}
