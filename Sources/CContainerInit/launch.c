#include "internal.h"

#include <linux/sched.h>
#include <malloc.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

long report(struct context *c, uint32_t kind, long error, int descriptor) {
    struct ctr_report body = {kind, c->index, (int32_t)-error, c->detail};
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control = {0};
    struct iovec part = {&body, sizeof body};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control.space;
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
    }
    long r = CALL(SYS_sendmsg, c->status, &message, MSG_NOSIGNAL);
    return r < 0 ? r : 0;
}

long ctr_init_next_report(int status_parent, struct ctr_report *out, int *descriptor) {
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
    struct iovec part = {out, sizeof *out};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
    *descriptor = -1;
    long n;
    do n = CALL(SYS_recvmsg, status_parent, &message, MSG_CMSG_CLOEXEC); while (n == -EINTR);
    if (n <= 0) return n;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(descriptor, CMSG_DATA(c), sizeof *descriptor);
    return n == sizeof *out ? 1 : -EBADMSG;
}

long ctr_init_check(const void *program, size_t size) {
    const char *at = program, *end = at + size;
    if ((uintptr_t)program % 8) return -EINVAL;
    while (at < end) {
        const struct step *step = (const struct step *)at;
        size_t left = (size_t)(end - at);
        if (left < sizeof *step || step->size < sizeof *step || step->size > left || step->size % 8) return -EINVAL;
        if (step->op == 0 || step->op >= CTR_OP_END) return -EINVAL;
        size_t fixed = sizeof *step + 8 * (size_t)step->arg_count + 4 * (size_t)step->string_count;
        if (fixed > step->size) return -EINVAL;
        const uint32_t *offsets = (const uint32_t *)(step->args + step->arg_count);
        for (uint32_t i = 0; i < step->string_count; i++)
            if (offsets[i] < fixed || offsets[i] >= step->size || !memchr(at + offsets[i], 0, step->size - offsets[i]))
                return -EINVAL;
        at += step->size;
    }
    return 0;
}

long ctr_init_launch(const struct ctr_launch *launch, int *pidfd) {
    long checked = ctr_init_check(launch->program, launch->size);
    if (checked >= 0 && launch->preparation_size) checked = ctr_init_check(launch->preparation, launch->preparation_size);
    if (checked < 0) return checked;
    bool prepares = launch->preparation_size > 0;
    struct clone_args args = {
        .flags = (prepares ? 0 : launch->namespaces) | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = SIGCHLD};
    if (launch->cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)launch->cgroup;
    }
    long pid = CALL(SYS_clone3, &args, sizeof args);
    if (pid == 0 && prepares) execute_preparation(launch);
    if (pid == 0) execute_steps(launch);
    return pid;
}

long ctr_init_namespace_holder(int *pidfd) {
    struct clone_args args = {
        .flags = CLONE_NEWUSER | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = SIGCHLD};
    long pid = CALL(SYS_clone3, &args, sizeof args);
    if (pid != 0) return pid;
    CALL(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    CALL(SYS_close_range, 0, ~0U, 0);
    for (;;) CALL(SYS_rt_sigsuspend, &(uint64_t){0}, sizeof(uint64_t));
}

long ctr_init_go_on_in_background(int exit_code) {
    long pid = CALL(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid > 0) CALL(SYS_exit_group, exit_code);
    if (pid == 0) CALL(SYS_setsid);
    return pid;
}

void ctr_init_return_free_memory(void) {
    malloc_trim(0);
    // What the launch used of the stack below here, too; a hole in the range is no harm.
    uintptr_t page = 4096, here = (uintptr_t)__builtin_frame_address(0) & ~(page - 1);
    madvise((void *)(here - 32 * page), 31 * page, MADV_DONTNEED);
}

// struct pidfd_info of linux/pidfd.h in its first size, which Debian 12's headers lack.
struct exit_info { uint64_t mask, cgroup; uint32_t ids[11]; int32_t exit_code; };

long ctr_init_exit_status(int pidfd) {
    const uint64_t wants_exit = 1 << 3;
    struct exit_info info = {.mask = wants_exit};
    long r = CALL(SYS_ioctl, pidfd, _IOWR(0xff, 11, struct exit_info), &info);
    if (r < 0) return r;
    return info.mask & wants_exit ? info.exit_code : -EAGAIN;
}
