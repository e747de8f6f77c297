#include "internal.h"

#include <linux/close_range.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define ALL_SIGNALS (~0ULL)

static void set_mask(uint64_t mask) { CALL(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask); }

static __attribute__((noreturn)) void stand_in(pid_t program) {
    for (;;) {
        uint64_t all = ALL_SIGNALS;
        long signal = CALL(SYS_rt_sigtimedwait, &all, NULL, NULL, sizeof all);
        if (signal < 0) continue;
        if (signal != SIGCHLD) {
            CALL(SYS_kill, program, (int)signal);
            continue;
        }
        int status;
        long pid;
        while ((pid = CALL(SYS_wait4, -1, &status, WNOHANG, NULL)) > 0) {
            if (pid != program) continue;
            CALL(SYS_exit_group, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        }
    }
}

long reap(struct context *c) {
    // Blocked before the fork, so that no signal finds this process without its program.
    set_mask(ALL_SIGNALS);
    long pid = CALL(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid < 0) {
        set_mask(0);
        return pid;
    }
    if (pid > 0) {
        CALL(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
        CALL(SYS_prctl, PR_SET_NAME, "ctr-init", 0, 0, 0);
        // It holds nothing open: an end of a pipe kept here would keep its reader waiting.
        CALL(SYS_close_range, 0, ~0U, 0);
        stand_in((pid_t)pid);
    }
    // In a group of its own and in the foreground, so that ^C goes to the program alone and not twice.
    CALL(SYS_setpgid, 0, 0);
    if (c->has_terminal) {
        int self = (int)CALL(SYS_getpid);
        CALL(SYS_ioctl, 0, TIOCSPGRP, &self);
    }
    CALL(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    set_mask(0);
    return 0;
}
