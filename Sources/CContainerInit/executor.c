#include "internal.h"

#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

// What a step must at least hold, so that no step reads beyond its own record.
static const struct { uint8_t args, strings; } shape[CTR_OP_END] = {
    [CTR_OP_JOIN_CGROUP] = {1, 0}, [CTR_OP_JOIN_NAMESPACE] = {2, 0}, [CTR_OP_UNSHARE] = {1, 0},
    [CTR_OP_NEW_KEYRING] = {0, 1}, [CTR_OP_SET_PROPAGATION] = {1, 0}, [CTR_OP_ATTACH_ROOT] = {2, 1},
    [CTR_OP_MOUNT] = {2, 3}, [CTR_OP_ATTACH_MOUNT] = {3, 1}, [CTR_OP_BIND] = {2, 2}, [CTR_OP_MAKE_DIRECTORY] = {1, 1},
    [CTR_OP_MAKE_DEVICE] = {5, 1}, [CTR_OP_SYMLINK] = {0, 2}, [CTR_OP_MASK] = {0, 1}, [CTR_OP_READ_ONLY_PATH] = {0, 1},
    [CTR_OP_SET_ROOT_PROPAGATION] = {1, 0}, [CTR_OP_HOSTNAME] = {0, 1}, [CTR_OP_DOMAINNAME] = {0, 1},
    [CTR_OP_SYSCTL] = {0, 2}, [CTR_OP_RESOURCE_LIMIT] = {3, 0}, [CTR_OP_OOM_SCORE_ADJUSTMENT] = {1, 0},
    [CTR_OP_UMASK] = {1, 0}, [CTR_OP_TERMINAL] = {3, 0}, [CTR_OP_STANDARD_STREAMS] = {3, 0},
    [CTR_OP_WORKING_DIRECTORY] = {1, 1}, [CTR_OP_PARENT_DEATH_SIGNAL] = {1, 0}, [CTR_OP_PERSONALITY] = {1, 0},
    [CTR_OP_SCHEDULER] = {7, 0}, [CTR_OP_IO_PRIORITY] = {1, 0}, [CTR_OP_DUMPABLE] = {1, 0},
    [CTR_OP_BOUNDING_SET] = {1, 0}, [CTR_OP_IDENTITY] = {2, 0}, [CTR_OP_CAPABILITIES] = {4, 0},
    [CTR_OP_SECCOMP] = {2, 0}, [CTR_OP_EXEC_LABEL] = {0, 2}, [CTR_OP_CLOSE_DESCRIPTORS] = {1, 0},
    [CTR_OP_FIND_PROGRAM] = {0, 2}, [CTR_OP_AWAIT_START] = {1, 0}, [CTR_OP_EXECUTE] = {1, 1},
    [CTR_OP_TIME_OFFSETS] = {0, 1}, [CTR_OP_HOOK] = {4, 3}, [CTR_OP_MEMORY_POLICY] = {1, 0},
    [CTR_OP_BIND_HOST] = {1, 2}, [CTR_OP_PROPAGATION] = {1, 1}, [CTR_OP_OWN_STREAMS] = {1, 0}, [CTR_OP_AWAIT_PARENT] = {1, 0},
    [CTR_OP_REMOUNT] = {2, 1}, [CTR_OP_ENTER_ROOT] = {1, 0},
};

// Signals as a new program expects them: nothing blocked, nothing ignored or caught. By the kernel's own structure,
// of which only zeroes are used; libc's sigaction keeps records that a raw clone has not prepared.
static void reset_signals(void) {
    struct { uint64_t words[4]; } standard = {{0}};
    for (int signal = 1; signal <= 64; signal++)
        if (signal != SIGKILL && signal != SIGSTOP) CALL(SYS_rt_sigaction, signal, &standard, NULL, 8);
    uint64_t none = 0;
    CALL(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

static long await_parent(struct context *c, uint32_t stage) {
    c->detail = stage;
    long r = report(c, CTR_REPORT_AWAITING, 0, -1);
    char word;
    while (r >= 0) {
        r = CALL(SYS_read, c->status, &word, 1);
        if (r > 0) return 0;
        if (r == 0) return -EPIPE;
        if (r == -EINTR) r = 0;
    }
    return r;
}

static long join_namespace(struct context *c, int fd, uint64_t flags) {
    if (fd < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long r = CALL(SYS_setns, fd, (int)flags);
    if (r < 0 || !(flags & CLONE_NEWNS)) return r;
    // setns has put root and working directory at the root of the joined namespace.
    shut(c->proc);
    c->proc = -1;
    c->pivoted = true;
    r = path_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
    if (r >= 0) c->root = (int)r;
    return r;
}

static long sysctl_write(struct context *c, const char *key, const char *value) {
    char name[512] = "sys/";
    size_t size = strlen(key);
    if (4 + size >= sizeof name) return -ENAMETOOLONG;
    memcpy(name + 4, key, size + 1);
    return path_write_proc(c, name, value, strlen(value));
}

static long oom_score(struct context *c, int64_t score) {
    char value[12], digits[12];
    int n = 0, at = 0;
    uint64_t rest = score < 0 ? (uint64_t)-score : (uint64_t)score;
    if (rest > 1000) return -EINVAL;
    do digits[n++] = (char)('0' + rest % 10); while (rest /= 10);
    if (score < 0) value[at++] = '-';
    while (n) value[at++] = digits[--n];
    return path_write_proc(c, "self/oom_score_adj", value, (size_t)at);
}

static long loopback_up(void) {
    long fd = CALL(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return fd;
    struct ifreq request = {.ifr_name = "lo"};
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    long r = CALL(SYS_ioctl, (int)fd, SIOCSIFFLAGS, &request);
    shut((int)fd);
    return r;
}

static long set_limit(const struct step *step) {
    uint64_t limit[2] = {step->args[1], step->args[2]};
    return CALL(SYS_prlimit64, 0, (int)step->args[0], limit, NULL);
}

static long set_scheduler(const struct step *step) {
    struct {
        uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period;
    } attributes = {48, (uint32_t)step->args[0], step->args[1], (int32_t)step->args[2], (uint32_t)step->args[3],
                    step->args[4], step->args[5], step->args[6]};
    return CALL(SYS_sched_setattr, 0, &attributes, 0);
}

// args: mode with its flags, then the mask of nodes.
static long set_memory_policy(const struct step *step) {
    unsigned words = step->arg_count - 1;
    return CALL(SYS_set_mempolicy, (int)step->args[0], words ? step->args + 1 : NULL, words ? words * 64UL + 1 : 0UL);
}

static long new_keyring(const char *name) {
    long r = CALL(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0);
    // A kernel without keys has none to protect.
    return r == -ENOSYS ? 0 : r;
}

static long run(struct context *c, const struct step *s) {
    switch ((enum ctr_op)s->op) {
    case CTR_OP_AWAIT_PARENT: return await_parent(c, (uint32_t)s->args[0]);
    case CTR_OP_JOIN_CGROUP: return CALL(SYS_write, slot(c, s->args[0]), "0", 1);
    case CTR_OP_JOIN_NAMESPACE: return join_namespace(c, slot(c, s->args[0]), s->args[1]);
    case CTR_OP_UNSHARE: return CALL(SYS_unshare, s->args[0]);
    case CTR_OP_NEW_SESSION: return CALL(SYS_setsid);
    case CTR_OP_NEW_KEYRING: return new_keyring(text(s, 0));
    case CTR_OP_SET_PROPAGATION: return mount_set_propagation(c, s->args[0]);
    case CTR_OP_ATTACH_ROOT: return mount_attach_root(c, slot(c, s->args[0]), text(s, 0), s->args[1]);
    case CTR_OP_MOUNT: return mount_new(c, s);
    case CTR_OP_ATTACH_MOUNT: return mount_attach(c, slot(c, s->args[0]), text(s, 0), s->args[1], s->args[2]);
    case CTR_OP_BIND: return mount_bind(c, s);
    case CTR_OP_MAKE_DIRECTORY: return node_directory(c, text(s, 0), (uint32_t)s->args[0]);
    case CTR_OP_MAKE_DEVICE: return node_device(c, s);
    case CTR_OP_SYMLINK: return node_symlink(c, text(s, 0), text(s, 1));
    case CTR_OP_MASK: return mount_mask(c, text(s, 0));
    case CTR_OP_READ_ONLY_PATH: return mount_read_only_path(c, text(s, 0));
    case CTR_OP_READ_ONLY_ROOT: return mount_attributes(c->root, 1 /* RDONLY */, 0, 0, false);
    case CTR_OP_SET_ROOT_PROPAGATION: return mount_attributes(c->root, 0, 0, s->args[0], s->args[0] & 0x4000);
    case CTR_OP_PIVOT_ROOT: return mount_pivot(c);
    case CTR_OP_HOSTNAME: return CALL(SYS_sethostname, text(s, 0), strlen(text(s, 0)));
    case CTR_OP_DOMAINNAME: return CALL(SYS_setdomainname, text(s, 0), strlen(text(s, 0)));
    case CTR_OP_SYSCTL: return sysctl_write(c, text(s, 0), text(s, 1));
    case CTR_OP_LOOPBACK_UP: return loopback_up();
    case CTR_OP_RESOURCE_LIMIT: return set_limit(s);
    case CTR_OP_OOM_SCORE_ADJUSTMENT: return oom_score(c, (int64_t)s->args[0]);
    case CTR_OP_UMASK: c->umask_set = true; return CALL(SYS_umask, (mode_t)s->args[0]);
    case CTR_OP_TERMINAL: return stream_terminal(c, (uint16_t)s->args[1], (uint16_t)s->args[2]);
    case CTR_OP_STANDARD_STREAMS: return stream_standard(c, slot(c, s->args[0]), slot(c, s->args[1]), slot(c, s->args[2]));
    case CTR_OP_WORKING_DIRECTORY: return program_working_directory(c, text(s, 0), s->args[0]);
    case CTR_OP_PARENT_DEATH_SIGNAL: return CALL(SYS_prctl, PR_SET_PDEATHSIG, s->args[0], 0, 0, 0);
    case CTR_OP_PERSONALITY: return CALL(SYS_personality, s->args[0]);
    case CTR_OP_SCHEDULER: return set_scheduler(s);
    case CTR_OP_IO_PRIORITY: return CALL(SYS_ioprio_set, 1 /* this process */, 0, s->args[0]);
    case CTR_OP_DUMPABLE: return CALL(SYS_prctl, PR_SET_DUMPABLE, s->args[0], 0, 0, 0);
    case CTR_OP_BOUNDING_SET: return identity_bounding_set(s->args[0]);
    case CTR_OP_IDENTITY: return identity_set(c, s);
    case CTR_OP_CAPABILITIES: return identity_capabilities(s);
    case CTR_OP_NO_NEW_PRIVILEGES: return CALL(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    case CTR_OP_SECCOMP: return identity_seccomp(c, slot(c, s->args[0]), s->args[1]);
    case CTR_OP_EXEC_LABEL: return identity_label(c, text(s, 0), text(s, 1));
    case CTR_OP_CLOSE_DESCRIPTORS: return stream_close(c, s->args[0]);
    case CTR_OP_FIND_PROGRAM: return program_find(c, text(s, 0), text(s, 1));
    case CTR_OP_AWAIT_START: return program_await_start(c, slot(c, s->args[0]));
    case CTR_OP_REAP: return reap(c);
    case CTR_OP_EXECUTE: return program_execute(c, s);
    case CTR_OP_BECOME_ROOT: return identity_become_root();
    case CTR_OP_TIME_OFFSETS: return path_write_proc(c, "self/timens_offsets", text(s, 0), strlen(text(s, 0)));
    case CTR_OP_HOOK: return hook_run(c, s);
    case CTR_OP_MEMORY_POLICY: return set_memory_policy(s);
    case CTR_OP_CPU_AFFINITY: return CALL(SYS_sched_setaffinity, 0, s->arg_count * sizeof *s->args, s->args);
    case CTR_OP_PROPAGATION: return mount_propagation(c, text(s, 0), s->args[0]);
    case CTR_OP_CHANGE_ROOT: return mount_change_root(c);
    case CTR_OP_BIND_HOST: return mount_bind_host(c, s);
    case CTR_OP_REMOUNT: return mount_again(c, s);
    case CTR_OP_ENTER_ROOT: return mount_enter_root(c, slot(c, s->args[0]));
    case CTR_OP_OWN_STREAMS: return identity_own_streams((uid_t)s->args[0]);
    case CTR_OP_END: break;
    }
    return FAIL(c, CTR_DETAIL_MALFORMED, -EINVAL);
}

static void begin(const struct ctr_launch *launch) {
    // So that the end of the parent is seen as the end of the stream.
    shut(launch->status_parent);
    reset_signals();
    // A launch whose parent dies has nobody to tell; its container must not go on alone.
    CALL(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    // Until exec nobody inside may look at this process, which is still the monitor's image (CVE-2019-5736).
    CALL(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static const struct context fresh = {.root = -1, .proc = -1, .null_mount = -1, .empty_mount = -1, .start = -1};

void execute_preparation(const struct ctr_launch *launch) {
    struct context context = fresh, *c = &context;
    c->launch = launch;
    c->status = launch->status_child;
    begin(launch);
    long r = 0;
    for (size_t at = 0; at < launch->preparation_size; c->index++) {
        const struct step *step = (const struct step *)((const char *)launch->preparation + at);
        at += step->size;
        c->detail = CTR_DETAIL_NONE;
        bool whole = step->arg_count >= shape[step->op].args && step->string_count >= shape[step->op].strings;
        r = whole ? run(c, step) : FAIL(c, CTR_DETAIL_MALFORMED, -EINVAL);
        if (r < 0) break;
    }
    int pidfd = -1;
    // A sibling: the launcher is its parent, and this process ends.
    struct clone_args args = {
        .flags = launch->namespaces | CLONE_PIDFD | CLONE_PARENT, .pidfd = (uint64_t)(uintptr_t)&pidfd};
    if (r >= 0) r = CALL(SYS_clone3, &args, sizeof args);
    if (r == 0) execute_steps(launch);
    if (r > 0) {
        c->index = (uint32_t)r;
        r = report(c, CTR_REPORT_MADE, 0, pidfd);
        CALL(SYS_exit_group, r < 0 ? 125 : 0);
    }
    report(c, CTR_REPORT_UNPREPARED, r, -1);
    CALL(SYS_exit_group, 125);
    __builtin_unreachable();
}

void execute_steps(const struct ctr_launch *launch) {
    struct context context = fresh, *c = &context;
    c->launch = launch;
    c->status = launch->status_child;
    begin(launch);
    c->old_umask = (unsigned)CALL(SYS_umask, 0);
    long r = 0;
    bool wants_death_signal = false;
    for (size_t at = 0; at < launch->size && r >= 0; c->index++) {
        const struct step *step = (const struct step *)((const char *)launch->program + at);
        at += step->size;
        c->detail = CTR_DETAIL_NONE;
        if (step->arg_count < shape[step->op].args || step->string_count < shape[step->op].strings) {
            r = FAIL(c, CTR_DETAIL_MALFORMED, -EINVAL);
        } else {
            if (step->op == CTR_OP_PARENT_DEATH_SIGNAL) wants_death_signal = true;
            // The program's life is its own from here on.
            if (step->op == CTR_OP_EXECUTE && !wants_death_signal) CALL(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
            r = run(c, step);
        }
        if (r < 0) break;
    }
    // A list that ends without an exec is as wrong as a step that fails.
    r = r < 0 ? r : -ENOEXEC;
    if (c->start >= 0) {
        struct ctr_report told = {CTR_REPORT_FAILED, c->index, (int32_t)-r, c->detail};
        CALL(SYS_write, c->start, &told, sizeof told);
    } else {
        report(c, CTR_REPORT_FAILED, r, -1);
    }
    CALL(SYS_exit_group, 125);
    __builtin_unreachable();
}
