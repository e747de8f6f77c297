// Every system call's answer against the seccomp filters of this process, without one of them being made: a child adds a
// filter of its own that asks its parent about each call, and the parent refuses it with a number that no kernel uses.
// Of all filters' answers the strictest counts: a call that reaches the parent has passed the filters that were there.
#include "names.h"
#include "probe.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { passed = -1234, unanswered = -4000, killed = -5000, most = 8192, last_word = 77 };
enum entry { native, legacy };

struct question {
    long number, first, second;
    enum entry entry;
    volatile long answer;
};
struct page {
    volatile int listener, next;
    int count;
    struct question questions[most];
};
static struct page *page;

/// A system call by the machine's own instruction: libc would change some of them on the way.
static long make(long number, long first, long second) {
    long r;
#if defined(__x86_64__)
    register long r10 __asm__("r10") = 0, r8 __asm__("r8") = 0, r9 __asm__("r9") = 0;
    __asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(first), "S"(second), "d"(0L), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = first, x1 __asm__("x1") = second;
    register long x2 __asm__("x2") = 0, x3 __asm__("x3") = 0, x4 __asm__("x4") = 0, x5 __asm__("x5") = 0;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    r = x0;
#endif
    return r;
}

/// The same by the entry of 32-bit programs, which filters see as another architecture.
static long make_legacy(long number, long first) {
#if defined(__x86_64__)
    int r;
    __asm__ volatile("int $0x80" : "=a"(r) : "a"((int)number), "b"((int)first), "c"(0), "d"(0)
                     : "r8", "r9", "r10", "r11", "memory");
    return r;
#else
    return (void)number, (void)first, unanswered;
#endif
}

static int ask(long number, long first, long second, enum entry entry) {
    page->questions[page->count] = (struct question){number, first, second, entry, unanswered};
    return page->count++;
}

/// In the child: everything but the exit with one status asks the parent.
static void __attribute__((noreturn)) answer(void) {
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, last_word, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof instructions / sizeof *instructions, instructions};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    page->listener = listener < 0 ? -errno : listener;
    while (listener >= 0 && page->next < page->count) {
        struct question *q = &page->questions[page->next];
        q->answer = q->entry == native ? make(q->number, q->first, q->second) : make_legacy(q->number, q->first);
        page->next++;
    }
    for (;;) make(SYS_exit_group, last_word, 0);
}

/// Refuses what has passed, until the child is gone.
static void refuse(int listener) {
    struct seccomp_notif asked;
    struct pollfd ready = {listener, POLLIN, 0};
    for (;;) {
        if (poll(&ready, 1, 20000) <= 0 || !(ready.revents & POLLIN)) return;
        memset(&asked, 0, sizeof asked);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0) continue;
        struct seccomp_notif_resp refusal = {.id = asked.id, .error = passed};
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &refusal);
    }
}

/// Asks everything; a child that a filter kills has a successor for the questions after that.
static bool ask_all(void) {
    while (page->next < page->count) {
        int status;
        page->listener = -1;
        // Descriptors are shared: the parent needs the one that the child gets, which can say nothing any more.
        long child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
        if (child == 0) answer();
        if (child < 0) return false;
        while (page->listener == -1) {
            if (waitpid((pid_t)child, &status, WNOHANG) == child) return false;
            usleep(200);
        }
        if (page->listener >= 0) refuse(page->listener);
        kill((pid_t)child, SIGKILL);
        waitpid((pid_t)child, &status, 0);
        if (page->listener < 0) return false;
        close(page->listener);
        if (page->next < page->count) page->questions[page->next++].answer = killed - WTERMSIG(status);
    }
    return true;
}

static const char *word(long answer) {
    static char other[40];
    if (answer == passed) return "passes";
    if (answer <= killed) {
        snprintf(other, sizeof other, "killed by %s", sigabbrev_np((int)(killed - answer)));
        return other;
    }
    return error_name((int)-answer);
}

/// Calls without names, as ranges of one answer.
static void say_ranges(const char *what, int first, int count, long base) {
    for (int from = 0, to; from < count; from = to + 1) {
        long answer = page->questions[first + from].answer;
        for (to = from; to + 1 < count && page->questions[first + to + 1].answer == answer; to++) {}
        say("%s %04ld-%04ld: %s", what, base + from, base + to, word(answer));
    }
}

/// What filters ask of an argument.
static const struct { const char *what, *name; long number, first, second; } arguments[] = {
#define FLAG(name) {"clone", #name, SYS_clone, name | SIGCHLD, 0},
    FLAG(CLONE_NEWCGROUP) FLAG(CLONE_NEWIPC) FLAG(CLONE_NEWNET) FLAG(CLONE_NEWNS) FLAG(CLONE_NEWPID)
    FLAG(CLONE_NEWUSER) FLAG(CLONE_NEWUTS) FLAG(CLONE_VM)
    {"clone", "CLONE_NEWUSER with high bits", SYS_clone, CLONE_NEWUSER | (long)1 << 40, 0},
#define PERSONALITY(name, value) {"personality", name, SYS_personality, value, 0},
    PERSONALITY("LINUX", 0) PERSONALITY("LINUX32", 8) PERSONALITY("UNAME26", 0x20000)
    PERSONALITY("LINUX32 UNAME26", 0x20008) PERSONALITY("asked", 0xffffffff)
    PERSONALITY("ADDR_NO_RANDOMIZE", 0x40000) PERSONALITY("READ_IMPLIES_EXEC", 0x400000)
    PERSONALITY("MMAP_PAGE_ZERO", 0x100000)
    {"ioctl", "TIOCSTI", SYS_ioctl, 0, 0x5412}, {"ioctl", "TIOCLINUX", SYS_ioctl, 0, 0x541c},
    {"prctl", "PR_SET_SECUREBITS", SYS_prctl, 28, 0}, {"prctl", "PR_SET_MM", SYS_prctl, 35, 0},
    {"socket", "ALG with high bits", SYS_socket, ((long)1 << 32) + 38, SOCK_SEQPACKET},
    {"socket", "VSOCK with high bits", SYS_socket, ((long)1 << 32) + 40, SOCK_STREAM},
};
static const char *const families[] = {
    "UNSPEC", "UNIX", "INET", "AX25", "IPX", "APPLETALK", "NETROM", "BRIDGE", "ATMPVC", "X25", "INET6", "ROSE",
    "DECnet", "NETBEUI", "SECURITY", "KEY", "NETLINK", "PACKET", "ASH", "ECONET", "ATMSVC", "RDS", "SNA", "IRDA",
    "PPPOX", "WANPIPE", "LLC", "IB", "MPLS", "CAN", "TIPC", "BLUETOOTH", "IUCV", "RXRPC", "ISDN", "PHONET",
    "IEEE802154", "CAIF", "ALG", "NFC", "VSOCK", "KCM", "QIPCRTR", "SMC", "XDP", "MCTP",
};

void report_calls(void) {
    enum { calls = 1024, old_calls = 512, family_count = sizeof families / sizeof *families };
    enum { argument_count = sizeof arguments / sizeof *arguments };
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        say("system calls: not asked: mmap: %s", error_name(errno));
        return;
    }
    int first_call = page->count;
    for (long n = 0; n < calls; n++) ask(n, 0, 0, native);
    int first_family = page->count;
    for (long n = 0; n < family_count; n++) ask(SYS_socket, n, SOCK_STREAM, native);
    int first_argument = page->count;
    for (int n = 0; n < argument_count; n++)
        ask(arguments[n].number, arguments[n].first, arguments[n].second, native);
#if defined(__x86_64__)
    // The third architecture of this machine: numbers with a bit of their own.
    int first_x32 = page->count;
    for (long n = 0; n < 600; n++) ask(0x40000000 + n, 0, 0, native);
    int first_old = page->count;
    ask(20, 0, 0, legacy);
#endif
    if (!ask_all()) {
        say("system calls: not asked: seccomp: %s", error_name(page->listener < -1 ? -page->listener : 0));
        return;
    }
#if defined(__x86_64__)
    // getpid. A kernel without that entry kills the child: then it is not asked for the others.
    bool old = page->questions[first_old].answer != killed - SIGSEGV;
    if (old) {
        first_old = page->count;
        for (long n = 0; n < old_calls; n++) ask(n, 0, 0, legacy);
        old = ask_all();
    }
    if (old) say_ranges("~32-bit call", first_old, old_calls, 0);
    say_ranges("x32 call", first_x32, 600, 0);
#endif
    for (int n = 0; n < known; n++)
        if (names[n]) say("call %s: %s", names[n], word(page->questions[first_call + n].answer));
    say_ranges("call", first_call + known, calls - known, known);
    for (int n = 0; n < family_count; n++)
        say("socket %s: %s", families[n], word(page->questions[first_family + n].answer));
    for (int n = 0; n < argument_count; n++)
        say("%s %s: %s", arguments[n].what, arguments[n].name, word(page->questions[first_argument + n].answer));
}
