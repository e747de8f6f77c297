// Who the process is: capabilities, ids, namespaces, limits, signals, environment.
#include "probe.h"

#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char *const status = "/proc/self/status";

static const char *const capabilities[] = {
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
};

static void say_capabilities(void) {
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    static const char *const short_names[] = {"inheritable", "permitted", "effective", "bounding", "ambient"};
    uint64_t masks[5];
    for (int s = 0; s < 5; s++) {
        masks[s] = strtoull(field(status, sets[s]), NULL, 16);
        if (!masks[s]) say("capabilities %s: none", short_names[s]);
        // All that there are: of some machines root itself has not all.
        const char *theirs = context("capabilities");
        if (theirs && masks[s] && masks[s] == strtoull(theirs, NULL, 16)) {
            say("capabilities %s: the caller's", short_names[s]);
            masks[s] = 0;
        }
    }
    for (int n = 0; n < 64; n++) {
        char line[128] = "";
        for (int s = 0; s < 5; s++)
            if (masks[s] >> n & 1) {
                strcat(line, " ");
                strcat(line, short_names[s]);
            }
        if (!*line) continue;
        if (n < (int)(sizeof capabilities / sizeof *capabilities)) say("capability %s:%s", capabilities[n], line);
        else say("capability %d:%s", n, line);
    }
}

static const char *const namespaces[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

/// The number of a namespace of this process; 0 if the kernel has none of that kind.
static unsigned long namespace(const char *kind) {
    char path[64];
    struct stat found;
    snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
    return stat(path, &found) ? 0 : found.st_ino;
}

bool is_callers(const char *kind) {
    char name[64], value[64];
    snprintf(name, sizeof name, "ns:%s", kind);
    snprintf(value, sizeof value, "%lu", namespace(kind));
    const char *theirs = context(name);
    return theirs && !strcmp(theirs, value);
}

static const struct { const char *name; int number; } limits[] = {
    {"as", RLIMIT_AS}, {"core", RLIMIT_CORE}, {"cpu", RLIMIT_CPU}, {"data", RLIMIT_DATA}, {"fsize", RLIMIT_FSIZE},
    {"locks", RLIMIT_LOCKS}, {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"rss", RLIMIT_RSS}, {"rtprio", RLIMIT_RTPRIO},
    {"rttime", RLIMIT_RTTIME}, {"sigpending", RLIMIT_SIGPENDING}, {"stack", RLIMIT_STACK},
};

static const char *limit(int number) {
    static char text[64];
    struct rlimit value;
    if (getrlimit(number, &value)) return "unreadable";
    snprintf(text, sizeof text, "%lld:%lld", (long long)value.rlim_cur, (long long)value.rlim_max);
    return text;
}

/// KEYCTL_GET_KEYRING_ID of the session's.
static long keyring(void) { return syscall(SYS_keyctl, 0, -3, 0); }

static const struct { const char *name, *file; } callers[] = {
    {"oom_score_adj", "/proc/self/oom_score_adj"}, {"timerslack", "/proc/self/timerslack_ns"},
    {"coredump_filter", "/proc/self/coredump_filter"},
};

void write_context(void) {
    for (size_t n = 0; n < sizeof namespaces / sizeof *namespaces; n++)
        printf("ns:%s=%lu ", namespaces[n], namespace(namespaces[n]));
    for (size_t n = 0; n < sizeof limits / sizeof *limits; n++)
        printf("limit:%s=%s ", limits[n].name, limit(limits[n].number));
    for (size_t n = 0; n < sizeof callers / sizeof *callers; n++) {
        const char *text = text_of(callers[n].file);
        printf("%s=%s ", callers[n].name, text ? text : "none");
    }
    printf("capabilities=%s ", field(status, "CapEff"));
    printf("keyring=%ld umask=%04o\n", keyring(), umask(0));
}

/// A value, or that it is what the caller of the runtime has.
static void say_caller(const char *what, const char *name, const char *value) {
    const char *theirs = context(name);
    say("%s: %s", what, theirs && !strcmp(theirs, value) ? "the caller's" : value);
}

static void say_environment(char **environment) {
    for (char **each = environment; *each; each++) say("environment %.*s", (int)strcspn(*each, "="), *each);
}

void report_process(void) {
    extern char **environ;
    char name[64], value[64];
    say_capabilities();
    say_environment(environ);
    say("no-new-privileges: %s", field(status, "NoNewPrivs"));
    say("seccomp: mode %s, %s filters", field(status, "Seccomp"), field(status, "Seccomp_filters"));
    say("uid: %s", field(status, "Uid"));
    say("gid: %s", field(status, "Gid"));
    say("groups: %s", field(status, "Groups"));
    say("uid_map: %s", text_of("/proc/self/uid_map"));
    say("gid_map: %s", text_of("/proc/self/gid_map"));
    say("setgroups: %s", text_of("/proc/self/setgroups"));
    say("securebits: %#x", prctl(PR_GET_SECUREBITS));
    say("dumpable: %d", prctl(PR_GET_DUMPABLE));
    int signal = 0;
    prctl(PR_GET_PDEATHSIG, &signal);
    say("death signal: %d", signal);
    say("personality: %#x", personality(0xffffffff));
    for (const char *const *each = (const char *const[]){"SigBlk", "SigIgn", "SigCgt", "SigPnd", NULL}; *each; each++)
        say("signals %s: %s", *each, field(status, *each));
    say("umask: %s", field(status, "Umask"));
    say("nice: %d", getpriority(PRIO_PROCESS, 0));
    say("scheduler: %d", sched_getscheduler(0));
    say("session: %s", getsid(0) == getpid() ? "its leader" : getsid(0) == 0 ? "of another namespace" : "of another");
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY);
    say("controlling terminal: %s", terminal >= 0 ? "yes" : error_name(errno));
    close(terminal);
    say("process: %s, parent %s", getpid() == 1 ? "1" : "not 1", getppid() == 0 ? "outside" : getppid() == 1 ? "1" : "another");
    for (size_t n = 0; n < sizeof namespaces / sizeof *namespaces; n++)
        say("namespace %s: %s", namespaces[n], is_callers(namespaces[n]) ? "the caller's" : "its own");
    for (size_t n = 0; n < sizeof limits / sizeof *limits; n++) {
        char what[64];
        snprintf(what, sizeof what, "limit %s", limits[n].name);
        snprintf(name, sizeof name, "limit:%s", limits[n].name);
        say_caller(what, name, limit(limits[n].number));
    }
    for (size_t n = 0; n < sizeof callers / sizeof *callers; n++) {
        const char *text = text_of(callers[n].file);
        say_caller(callers[n].name, callers[n].name, text ? text : "none");
    }
    long key = keyring();
    snprintf(value, sizeof value, "%ld", key);
    const char *theirs = context("keyring");
    say("session keyring: %s", key == -1 ? error_name(errno)
        : theirs && !strcmp(theirs, value) ? "the caller's" : "its own");
    const char *label = text_of("/proc/self/attr/current");
    if (label && *label) say("~label: %s", label);
}
