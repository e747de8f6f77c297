#define _GNU_SOURCE
#include "CLinux.h"
#include "answer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

const int CTR_O_PATH = O_PATH, CTR_O_DIRECTORY = O_DIRECTORY, CTR_O_NOFOLLOW = O_NOFOLLOW,
          CTR_O_CLOEXEC = O_CLOEXEC, CTR_O_TMPFILE = O_TMPFILE, CTR_O_NOATIME = O_NOATIME;
const int CTR_AT_EMPTY_PATH = AT_EMPTY_PATH, CTR_AT_SYMLINK_NOFOLLOW = AT_SYMLINK_NOFOLLOW,
          CTR_AT_REMOVEDIR = AT_REMOVEDIR, CTR_AT_SYMLINK_FOLLOW = AT_SYMLINK_FOLLOW, CTR_AT_RECURSIVE = 0x8000;
const int CTR_EPOLLIN = EPOLLIN, CTR_EPOLLOUT = EPOLLOUT, CTR_EPOLLHUP = EPOLLHUP, CTR_EPOLLERR = EPOLLERR,
          CTR_EPOLLRDHUP = EPOLLRDHUP;

// ---- files, by directory descriptor
long ctr_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return ANSWER(syscall(SYS_openat2, dir, path, &how, sizeof how));
}
long ctr_fstatat(int dir, const char *path, int flags, struct ctr_stat *out) {
    struct stat s;
    if (fstatat(dir, path, &s, flags) < 0) return -errno;
    *out = (struct ctr_stat){
        .device = s.st_dev, .inode = s.st_ino, .links = s.st_nlink, .size = (uint64_t)s.st_size,
        .blocks = (uint64_t)s.st_blocks, .mode = s.st_mode, .uid = s.st_uid, .gid = s.st_gid,
        .rdev_major = major(s.st_rdev), .rdev_minor = minor(s.st_rdev),
        .mtime = s.st_mtim.tv_sec, .ctime = s.st_ctim.tv_sec, .atime = s.st_atim.tv_sec,
        .mtime_ns = (uint32_t)s.st_mtim.tv_nsec, .ctime_ns = (uint32_t)s.st_ctim.tv_nsec,
        .atime_ns = (uint32_t)s.st_atim.tv_nsec,
    };
    return 0;
}
long ctr_mkdirat(int dir, const char *path, unsigned mode) { return ANSWER(mkdirat(dir, path, mode)); }
long ctr_mknodat(int dir, const char *path, unsigned mode, unsigned major_, unsigned minor_) {
    return ANSWER(mknodat(dir, path, mode, makedev(major_, minor_)));
}
long ctr_symlinkat(const char *target, int dir, const char *path) { return ANSWER(symlinkat(target, dir, path)); }
long ctr_linkat(int fromdir, const char *from, int todir, const char *to, int flags) {
    return ANSWER(linkat(fromdir, from, todir, to, flags));
}
long ctr_renameat2(int fromdir, const char *from, int todir, const char *to, unsigned flags) {
    return ANSWER(syscall(SYS_renameat2, fromdir, from, todir, to, flags));
}
long ctr_unlinkat(int dir, const char *path, int flags) { return ANSWER(unlinkat(dir, path, flags)); }
long ctr_readlinkat(int dir, const char *path, char *buffer, size_t size) {
    return ANSWER(readlinkat(dir, path, buffer, size));
}
long ctr_fchownat(int dir, const char *path, unsigned uid, unsigned gid, int flags) {
    return ANSWER(fchownat(dir, path, uid, gid, flags));
}
long ctr_fchmod(int fd, unsigned mode) { return ANSWER(fchmod(fd, mode)); }
long ctr_fchmodat(int dir, const char *path, unsigned mode) { return ANSWER(fchmodat(dir, path, mode, 0)); }
long ctr_utimensat(int dir, const char *path, int64_t atime, long atime_ns, int64_t mtime, long mtime_ns, int flags) {
    struct timespec times[2] = {{atime, atime_ns}, {mtime, mtime_ns}};
    return ANSWER(utimensat(dir, path, times, flags));
}
long ctr_faccessat2(int dir, const char *path, int mode, int flags) { return ANSWER(faccessat(dir, path, mode, flags)); }

// ---- whole files and descriptors
long ctr_read(int fd, void *buffer, size_t size) { return ANSWER(read(fd, buffer, size)); }
long ctr_write(int fd, const void *buffer, size_t size) { return ANSWER(write(fd, buffer, size)); }
long ctr_pread(int fd, void *buffer, size_t size, int64_t offset) { return ANSWER(pread(fd, buffer, size, offset)); }
long ctr_pwrite(int fd, const void *buffer, size_t size, int64_t offset) {
    return ANSWER(pwrite(fd, buffer, size, offset));
}
long ctr_lseek(int fd, int64_t offset, int whence) { return ANSWER(lseek(fd, offset, whence)); }
long ctr_ftruncate(int fd, int64_t size) { return ANSWER(ftruncate(fd, size)); }
long ctr_fallocate(int fd, int mode, int64_t offset, int64_t size) { return ANSWER(fallocate(fd, mode, offset, size)); }
long ctr_fsync(int fd) { return ANSWER(fsync(fd)); }
long ctr_fdatasync(int fd) { return ANSWER(fdatasync(fd)); }
long ctr_syncfs(int fd) { return ANSWER(syncfs(fd)); }
long ctr_close(int fd) { return ANSWER(close(fd)); }
long ctr_flock(int fd, int operation) { return ANSWER(flock(fd, operation)); }
long ctr_dup_cloexec(int fd, int minimum) { return ANSWER(fcntl(fd, F_DUPFD_CLOEXEC, minimum)); }
long ctr_dup3(int from, int to, int flags) { return ANSWER(dup3(from, to, flags)); }
long ctr_set_cloexec(int fd, int on) { return ANSWER(fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0)); }
long ctr_set_nonblock(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    return ANSWER(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}
long ctr_fcntl_getfl(int fd) { return ANSWER(fcntl(fd, F_GETFL)); }
long ctr_pipe2(int fds[2], int flags) { return ANSWER(pipe2(fds, flags)); }
long ctr_memfd_create(const char *name, unsigned flags) { return ANSWER(memfd_create(name, flags)); }
long ctr_close_range(unsigned first, unsigned last, unsigned flags) {
    return ANSWER(syscall(SYS_close_range, first, last, flags));
}
long ctr_copy_file_range(int from, int to, size_t size) { return ANSWER(copy_file_range(from, NULL, to, NULL, size, 0)); }
long ctr_sendfile(int to, int from, size_t size) { return ANSWER(sendfile(to, from, NULL, size)); }
long ctr_ficlone(int to, int from) { return ANSWER(ioctl(to, FICLONE, from)); }
long ctr_posix_fadvise(int fd, int64_t offset, int64_t size, int advice) {
    return -(long)posix_fadvise(fd, offset, size, advice);
}
long ctr_getdents64(int fd, void *buffer, size_t size) { return ANSWER(syscall(SYS_getdents64, fd, buffer, size)); }
long ctr_statfs_type(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) < 0 ? -errno : (long)s.f_type;
}
long ctr_statfs_free(int fd, uint64_t *free_bytes, uint64_t *total_bytes) {
    struct statfs s;
    if (fstatfs(fd, &s) < 0) return -errno;
    *free_bytes = (uint64_t)s.f_bavail * (uint64_t)s.f_bsize;
    *total_bytes = (uint64_t)s.f_blocks * (uint64_t)s.f_bsize;
    return 0;
}

// ---- extended attributes
long ctr_fsetxattr(int fd, const char *name, const void *value, size_t size) {
    return ANSWER(fsetxattr(fd, name, value, size, 0));
}
long ctr_fgetxattr(int fd, const char *name, void *value, size_t size) { return ANSWER(fgetxattr(fd, name, value, size)); }
long ctr_flistxattr(int fd, char *list, size_t size) { return ANSWER(flistxattr(fd, list, size)); }
long ctr_fremovexattr(int fd, const char *name) { return ANSWER(fremovexattr(fd, name)); }

long ctr_lremovexattr(const char *path, const char *name) { return ANSWER(lremovexattr(path, name)); }
long ctr_lsetxattr(const char *path, const char *name, const void *value, size_t size) {
    return ANSWER(lsetxattr(path, name, value, size, 0));
}
long ctr_lgetxattr(const char *path, const char *name, void *value, size_t size) {
    return ANSWER(lgetxattr(path, name, value, size));
}
long ctr_llistxattr(const char *path, char *list, size_t size) { return ANSWER(llistxattr(path, list, size)); }

// ---- mounts
long ctr_fsopen(const char *type, unsigned flags) { return ANSWER(syscall(SYS_fsopen, type, flags | 1 /* CLOEXEC */)); }
long ctr_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux) {
    return ANSWER(syscall(SYS_fsconfig, fd, command, key, value, aux));
}
long ctr_fsmount(int fd, unsigned flags, unsigned attributes) {
    return ANSWER(syscall(SYS_fsmount, fd, flags | 1 /* CLOEXEC */, attributes));
}
long ctr_open_tree(int dir, const char *path, unsigned flags) {
    return ANSWER(syscall(SYS_open_tree, dir, path, flags | O_CLOEXEC));
}
long ctr_move_mount(int fromdir, const char *from, int todir, const char *to, unsigned flags) {
    return ANSWER(syscall(SYS_move_mount, fromdir, from, todir, to, flags));
}
long ctr_mount_setattr(int dir, const char *path, unsigned flags, uint64_t set, uint64_t clear,
                       uint64_t propagation, int userns_fd) {
    struct { uint64_t set, clear, propagation, userns_fd; } attributes = {
        set, clear, propagation, (uint64_t)(userns_fd < 0 ? 0 : userns_fd)};
    return ANSWER(syscall(SYS_mount_setattr, dir, path, flags, &attributes, sizeof attributes));
}
long ctr_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    return ANSWER(syscall(SYS_mount, source, target, type, flags, data));
}
long ctr_umount2(const char *target, int flags) { return ANSWER(syscall(SYS_umount2, target, flags)); }

// ---- processes, namespaces
long ctr_pidfd_open(int pid, unsigned flags) { return ANSWER(syscall(SYS_pidfd_open, pid, flags)); }
long ctr_pidfd_send_signal(int pidfd, int signal) { return ANSWER(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0)); }
long ctr_fork(void) { return ANSWER(fork()); }
long ctr_kill(int pid, int signal) { return ANSWER(kill(pid, signal)); }
long ctr_setns(int fd, int types) { return ANSWER(setns(fd, types)); }
long ctr_unshare(uint64_t flags) { return ANSWER(unshare((int)flags)); }
long ctr_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return ANSWER(prctl(option, a, b, c, d));
}
long ctr_wait4(int pid, int *status, int options) { return ANSWER(wait4(pid, status, options, NULL)); }
long ctr_getrandom(void *buffer, size_t size) { return ANSWER(getrandom(buffer, size, 0)); }
long ctr_netlink_open(int protocol) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0) return -errno;
    int on = 1;
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
    return fd;
}
long ctr_netlink_connect(int fd) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    return ANSWER(connect(fd, (struct sockaddr *)&kernel, sizeof kernel));
}
long ctr_netlink_grow(int fd, int size) { return ANSWER(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size)); }
long ctr_prlimit(int pid, int resource, uint64_t soft, uint64_t hard) {
    uint64_t limit[2] = {soft, hard};
    return ANSWER(syscall(SYS_prlimit64, pid, resource, limit, NULL));
}
long ctr_gettid(void) { return ANSWER(gettid()); }
long ctr_sched_getaffinity(uint8_t *mask, size_t size) {
    return ANSWER(syscall(SYS_sched_getaffinity, 0, size, mask));
}
long ctr_capget_effective(uint64_t *mask) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    *mask = (uint64_t)data[1].effective << 32 | data[0].effective;
    return 0;
}
long ctr_become_file_owner(unsigned uid, unsigned gid) {
    // Neither call tells of a failure, but with an answer that the next one gives.
    syscall(SYS_setfsgid, gid);
    syscall(SYS_setfsuid, uid);
    if (syscall(SYS_setfsgid, -1) != (long)gid || syscall(SYS_setfsuid, -1) != (long)uid) return -EPERM;
    // The change away from root took the rights over files out of the effective set.
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    for (int word = 0; word < 2; word++) data[word].effective = data[word].permitted;
    return ANSWER(syscall(SYS_capset, &header, data));
}
long ctr_getrlimit(int resource, uint64_t *soft, uint64_t *hard) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0) return -errno;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    return 0;
}
long ctr_setrlimit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit limit = {soft, hard};
    return ANSWER(setrlimit(resource, &limit));
}
long ctr_execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags) {
    return ANSWER(syscall(SYS_execveat, dir, path, argv, envp, flags));
}
long ctr_bpf(int command, void *attributes, unsigned size) { return ANSWER(syscall(SYS_bpf, command, attributes, size)); }

// Only raw system calls between vfork and execveat: the parent may have threads.
static __attribute__((noreturn)) void spawned(int program_fd, char *const argv[], char *const envp[], int in, int out,
                                              int err, const int *passed, int count, int new_session, int mask, int *error) {
    // Every source is moved above the targets first, so that no dup3 overwrites one still needed.
    int moved[3 + 64], wanted[3] = {in, out, err};
    for (int i = 0; i < 3 + count; i++) {
        int fd = i < 3 ? wanted[i] : passed[i - 3];
        if (fd < 0) fd = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
        moved[i] = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 128);
        if (moved[i] < 0) goto failed;
    }
    int program = (int)syscall(SYS_fcntl, program_fd, F_DUPFD_CLOEXEC, 128);
    if (program < 0) goto failed;
    for (int i = 0; i < 3 + count; i++)
        if (syscall(SYS_dup3, moved[i], i, 0) < 0) goto failed;
    syscall(SYS_close_range, 3 + count, ~0U, 1U << 2 /* CLOEXEC */);
    if (new_session) {
        syscall(SYS_setsid);
        syscall(SYS_chdir, "/");
    }
    // The child's own: vfork shares memory, not the umask.
    if (mask >= 0) syscall(SYS_umask, mask);
    uint64_t none = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
    syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
failed:
    *error = errno;
    syscall(SYS_exit_group, 127);
    __builtin_unreachable();
}

long ctr_spawn(int program_fd, const char *path, char *const argv[], char *const envp[], int in, int out, int err,
               const int *passed, int passed_count, int new_session, int mask) {
    (void)path;
    if (passed_count > 64) return -E2BIG;
    volatile int error = 0;
    pid_t pid = vfork();
    if (pid == 0)
        spawned(program_fd, argv, envp, in, out, err, passed, passed_count, new_session, mask, (int *)&error);
    if (pid < 0) return -errno;
    if (error) {
        waitpid(pid, NULL, 0);
        return -error;
    }
    return pid;
}

// ---- waiting
long ctr_epoll_create(void) { return ANSWER(epoll_create1(EPOLL_CLOEXEC)); }
long ctr_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return ANSWER(epoll_ctl(epoll, operation, fd, &event));
}
long ctr_epoll_wait(int epoll, struct ctr_epoll_event *events, int count, int timeout_ms) {
    struct epoll_event raw[64];
    if (count > 64) count = 64;
    int n = epoll_wait(epoll, raw, count, timeout_ms);
    if (n < 0) return -errno;
    for (int i = 0; i < n; i++) events[i] = (struct ctr_epoll_event){raw[i].events, raw[i].data.u64};
    return n;
}
_Static_assert(sizeof(struct ctr_pollfd) == sizeof(struct pollfd), "ctr_pollfd is pollfd");
long ctr_poll(struct ctr_pollfd *fds, int count, int timeout_ms) {
    return ANSWER(poll((struct pollfd *)fds, (nfds_t)count, timeout_ms));
}
long ctr_signalfd(uint64_t mask) {
    if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, sizeof mask) < 0) return -errno;
    return ANSWER(syscall(SYS_signalfd4, -1, &mask, sizeof mask, SFD_CLOEXEC | SFD_NONBLOCK));
}
long ctr_default_signal(int number) { return signal(number, SIG_DFL) == SIG_ERR ? -errno : 0; }
long ctr_block_signals(uint64_t mask) { return ANSWER(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask)); }
static struct itimerspec spec_of(int64_t first, int64_t interval) {
    return (struct itimerspec){{interval / 1000000000, interval % 1000000000}, {first / 1000000000, first % 1000000000}};
}
long ctr_timerfd(int64_t first_ns, int64_t interval_ns) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0) return -errno;
    long set = ctr_timerfd_set(fd, first_ns, interval_ns);
    if (set < 0) { close(fd); return set; }
    return fd;
}
long ctr_timerfd_set(int fd, int64_t first_ns, int64_t interval_ns) {
    struct itimerspec spec = spec_of(first_ns, interval_ns);
    return ANSWER(timerfd_settime(fd, 0, &spec, NULL));
}
long ctr_eventfd(unsigned initial) { return ANSWER(eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK)); }
long ctr_inotify_init(void) { return ANSWER(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }
long ctr_inotify_add(int fd, const char *path, uint32_t mask) { return ANSWER(inotify_add_watch(fd, path, mask)); }
int64_t ctr_clock_ns(int clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// ---- sockets
long ctr_socketpair(int type, int fds[2]) { return ANSWER(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds)); }
// sun_path holds 108 bytes and our directories are longer: the name goes by the directory's descriptor.
static long unix_address(int dir, const char *name, struct sockaddr_un *address) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", dir, name);
    return n < 0 || (size_t)n >= sizeof address->sun_path ? -ENAMETOOLONG : 0;
}
long ctr_unix_listen(int dir, const char *name, int type, int backlog) {
    struct sockaddr_un address;
    long bad = unix_address(dir, name, &address);
    if (bad) return bad;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || fchmodat(dir, name, 0600, 0) < 0 ||
        (type != SOCK_DGRAM && listen(fd, backlog) < 0)) {
        long error = -errno;
        close(fd);
        return error;
    }
    return fd;
}
long ctr_unix_connect(int dir, const char *name, int type) {
    struct sockaddr_un address;
    long bad = unix_address(dir, name, &address);
    if (bad) return bad;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        long error = -errno;
        close(fd);
        return error;
    }
    return fd;
}
long ctr_accept(int fd) { return ANSWER(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)); }
long ctr_peer_uid(int fd) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ? -errno : (long)peer.uid;
}
#define MOST_FDS 250
long ctr_send_fds(int socket, const void *bytes, size_t size, const int *fds, int fd_count) {
    if (fd_count > MOST_FDS) return -E2BIG;
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int) * MOST_FDS)]; } control;
    struct iovec part = {(void *)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * (size_t)fd_count);
    }
    return ANSWER(sendmsg(socket, &message, MSG_NOSIGNAL));
}
long ctr_receive_fds(int socket, void *bytes, size_t size, int *fds, int *fd_count) {
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int) * MOST_FDS)]; } control;
    struct iovec part = {bytes, size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (n < 0) return -errno;
    int room = *fd_count, got = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        int count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + sizeof(int) * (size_t)i, sizeof fd);
            if (got < room) fds[got++] = fd; else close(fd);
        }
    }
    *fd_count = got;
    return n;
}
long ctr_send(int socket, const void *bytes, size_t size) { return ANSWER(send(socket, bytes, size, MSG_NOSIGNAL)); }
long ctr_socket(int family, int type, int protocol) { return ANSWER(socket(family, type | SOCK_CLOEXEC, protocol)); }
long ctr_peek(int fd, void *bytes, size_t size) { return ANSWER(recv(fd, bytes, size, MSG_PEEK | MSG_WAITALL)); }
long ctr_shutdown(int fd, int how) { return ANSWER(shutdown(fd, how)); }
long ctr_loopback_up(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    struct ifreq request = {.ifr_name = "lo"};
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    long answer = ANSWER(ioctl(fd, SIOCSIFFLAGS, &request));
    close(fd);
    return answer;
}

// ---- terminals
long ctr_open_ptmx(void) { return ANSWER(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)); }
long ctr_pty_peer(int ptmx, int flags) { return ANSWER(ioctl(ptmx, TIOCGPTPEER, flags)); }
long ctr_unlock_pty(int ptmx) {
    int unlock = 0;
    return ANSWER(ioctl(ptmx, TIOCSPTLCK, &unlock));
}
long ctr_get_winsize(int fd, uint16_t *rows, uint16_t *columns) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}
long ctr_set_winsize(int fd, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ANSWER(ioctl(fd, TIOCSWINSZ, &size));
}
long ctr_isatty(int fd) { return isatty(fd); }
_Static_assert(sizeof(struct termios) <= sizeof(struct ctr_termios), "termios fits");
long ctr_tty_save(int fd, struct ctr_termios *saved) {
    struct termios t;
    if (tcgetattr(fd, &t) < 0) return -errno;
    memcpy(saved->bytes, &t, sizeof t);
    return 0;
}
long ctr_tty_raw(int fd) {
    struct termios t;
    if (tcgetattr(fd, &t) < 0) return -errno;
    cfmakeraw(&t);
    return ANSWER(tcsetattr(fd, TCSANOW, &t));
}
long ctr_tty_restore(int fd, const struct ctr_termios *saved) {
    struct termios t;
    memcpy(&t, saved->bytes, sizeof t);
    return ANSWER(tcsetattr(fd, TCSANOW, &t));
}
long ctr_tty_no_echo(int fd) {
    struct termios t;
    if (tcgetattr(fd, &t) < 0) return -errno;
    t.c_lflag &= ~(tcflag_t)ECHO;
    return ANSWER(tcsetattr(fd, TCSANOW, &t));
}

// ---- users
unsigned ctr_geteuid(void) { return geteuid(); }
unsigned ctr_getegid(void) { return getegid(); }
