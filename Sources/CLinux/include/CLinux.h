// The system calls and constants that Swift's Glibc module lacks: it is imported without _GNU_SOURCE, so
// everything Linux-only comes through here. Every function answers a value >= 0 or -errno, and never touches
// errno's meaning for the caller; retrying EINTR and naming the failure is LinuxSystem's work.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// ---- constants whose values differ by architecture, or that need _GNU_SOURCE
extern const int CTR_O_PATH, CTR_O_DIRECTORY, CTR_O_NOFOLLOW, CTR_O_CLOEXEC, CTR_O_TMPFILE, CTR_O_NOATIME;
extern const int CTR_AT_EMPTY_PATH, CTR_AT_SYMLINK_NOFOLLOW, CTR_AT_REMOVEDIR, CTR_AT_SYMLINK_FOLLOW,
    CTR_AT_RECURSIVE;
extern const int CTR_EPOLLIN, CTR_EPOLLOUT, CTR_EPOLLHUP, CTR_EPOLLERR, CTR_EPOLLRDHUP;

enum {
    CTR_RESOLVE_NO_XDEV = 0x01, CTR_RESOLVE_NO_MAGICLINKS = 0x02, CTR_RESOLVE_NO_SYMLINKS = 0x04,
    CTR_RESOLVE_BENEATH = 0x08, CTR_RESOLVE_IN_ROOT = 0x10,
};
enum {
    CTR_OPEN_TREE_CLONE = 1, CTR_MOVE_MOUNT_F_EMPTY_PATH = 0x04, CTR_MOVE_MOUNT_T_EMPTY_PATH = 0x40,
    CTR_FSCONFIG_SET_FLAG = 0, CTR_FSCONFIG_SET_STRING = 1, CTR_FSCONFIG_SET_FD = 5, CTR_FSCONFIG_CMD_CREATE = 6,
    CTR_MOUNT_ATTR_RDONLY = 0x1, CTR_MOUNT_ATTR_NOSUID = 0x2, CTR_MOUNT_ATTR_NODEV = 0x4,
    CTR_MOUNT_ATTR_NOEXEC = 0x8, CTR_MOUNT_ATTR_NOATIME = 0x10, CTR_MOUNT_ATTR_STRICTATIME = 0x20,
    CTR_MOUNT_ATTR_NODIRATIME = 0x80, CTR_MOUNT_ATTR_IDMAP = 0x100000, CTR_MOUNT_ATTR_NOSYMFOLLOW = 0x200000,
};
enum {
    CTR_RENAME_NOREPLACE = 1, CTR_RENAME_EXCHANGE = 2,
    CTR_LOCK_SH = 1, CTR_LOCK_EX = 2, CTR_LOCK_NB = 4, CTR_LOCK_UN = 8,
};

// ---- files, by directory descriptor
struct ctr_stat {
    uint64_t device, inode, links, size, blocks; // blocks of 512 bytes
    uint32_t mode, uid, gid, rdev_major, rdev_minor;
    int64_t mtime, ctime, atime;
    uint32_t mtime_ns, ctime_ns, atime_ns;
};
long ctr_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
long ctr_fstatat(int dir, const char *path, int flags, struct ctr_stat *out);
long ctr_mkdirat(int dir, const char *path, unsigned mode);
long ctr_mknodat(int dir, const char *path, unsigned mode, unsigned major, unsigned minor);
long ctr_symlinkat(const char *target, int dir, const char *path);
long ctr_linkat(int fromdir, const char *from, int todir, const char *to, int flags);
long ctr_renameat2(int fromdir, const char *from, int todir, const char *to, unsigned flags);
long ctr_unlinkat(int dir, const char *path, int flags);
long ctr_readlinkat(int dir, const char *path, char *buffer, size_t size);
long ctr_fchownat(int dir, const char *path, unsigned uid, unsigned gid, int flags);
long ctr_fchmod(int fd, unsigned mode);
long ctr_fchmodat(int dir, const char *path, unsigned mode); // follows symlinks: for own files only
// Times in seconds and nanoseconds since 1970.
long ctr_utimensat(int dir, const char *path, int64_t atime, long atime_ns, int64_t mtime, long mtime_ns, int flags);
long ctr_faccessat2(int dir, const char *path, int mode, int flags);


// ---- whole files and descriptors
long ctr_read(int fd, void *buffer, size_t size);
long ctr_write(int fd, const void *buffer, size_t size);
long ctr_pread(int fd, void *buffer, size_t size, int64_t offset);
long ctr_pwrite(int fd, const void *buffer, size_t size, int64_t offset);
long ctr_lseek(int fd, int64_t offset, int whence);
long ctr_ftruncate(int fd, int64_t size);
long ctr_fallocate(int fd, int mode, int64_t offset, int64_t size);
long ctr_fsync(int fd);
long ctr_fdatasync(int fd);
long ctr_syncfs(int fd);
long ctr_close(int fd);
long ctr_flock(int fd, int operation);
long ctr_dup_cloexec(int fd, int minimum);
long ctr_dup3(int from, int to, int flags);
long ctr_set_cloexec(int fd, int on);
long ctr_set_nonblock(int fd, int on);
long ctr_fcntl_getfl(int fd);
long ctr_pipe2(int fds[2], int flags);
long ctr_memfd_create(const char *name, unsigned flags);
long ctr_close_range(unsigned first, unsigned last, unsigned flags);
long ctr_copy_file_range(int from, int to, size_t size);
long ctr_sendfile(int to, int from, size_t size);
long ctr_ficlone(int to, int from);
long ctr_posix_fadvise(int fd, int64_t offset, int64_t size, int advice);
// Directory entries as the kernel gives them (struct linux_dirent64).
long ctr_getdents64(int fd, void *buffer, size_t size);
long ctr_statfs_type(int fd);                      // f_type, e.g. PROC_SUPER_MAGIC
long ctr_statfs_free(int fd, uint64_t *free_bytes, uint64_t *total_bytes);

// ---- extended attributes; path forms act on the link itself
long ctr_fsetxattr(int fd, const char *name, const void *value, size_t size);
long ctr_fgetxattr(int fd, const char *name, void *value, size_t size);
long ctr_flistxattr(int fd, char *list, size_t size);
long ctr_fremovexattr(int fd, const char *name);
long ctr_lremovexattr(const char *path, const char *name);
long ctr_lsetxattr(const char *path, const char *name, const void *value, size_t size);
long ctr_lgetxattr(const char *path, const char *name, void *value, size_t size);
long ctr_llistxattr(const char *path, char *list, size_t size);

// ---- mounts
long ctr_fsopen(const char *type, unsigned flags);
long ctr_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux);
long ctr_fsmount(int fd, unsigned flags, unsigned attributes);
long ctr_open_tree(int dir, const char *path, unsigned flags);
long ctr_move_mount(int fromdir, const char *from, int todir, const char *to, unsigned flags);
long ctr_mount_setattr(int dir, const char *path, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation, int userns_fd);
long ctr_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
long ctr_umount2(const char *target, int flags);

// ---- processes, namespaces
long ctr_pidfd_open(int pid, unsigned flags);
long ctr_pidfd_send_signal(int pidfd, int signal);
long ctr_fork(void);                               // one thread only
long ctr_kill(int pid, int signal);
long ctr_setns(int fd, int types);
long ctr_unshare(uint64_t flags);
long ctr_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
// Reaps one child; answers its pid, 0 when none is ready (nonblocking). status as wait4's.
long ctr_wait4(int pid, int *status, int options);
long ctr_getrandom(void *buffer, size_t size);
long ctr_gettid(void);
// A netlink socket (netlink(7)) of the network namespace that this thread is in; 0 is NETLINK_ROUTE, 12
// NETLINK_NETFILTER. Errors come with the kernel's words, without a copy of the request; dumps are filtered as asked.
long ctr_netlink_open(int protocol);
long ctr_netlink_connect(int fd);                  // to the kernel
long ctr_netlink_grow(int fd, int size);           // SO_SNDBUFFORCE
long ctr_prlimit(int pid, int resource, uint64_t soft, uint64_t hard);
// Of this thread; answers how many bytes of the mask were written.
long ctr_sched_getaffinity(uint8_t *mask, size_t size);
long ctr_capget_effective(uint64_t *mask);
// The calling thread's files belong to them; its capabilities stay.
long ctr_become_file_owner(unsigned uid, unsigned gid);
long ctr_getrlimit(int resource, uint64_t *soft, uint64_t *hard);
long ctr_setrlimit(int resource, uint64_t soft, uint64_t hard);
long ctr_execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags);
long ctr_bpf(int command, void *attributes, unsigned size);
// Starts a program in a session of its own: stdio from the three descriptors (-1: /dev/null), `passed` arrive as
// 3, 4, …; nothing else stays open. program_fd is executed by execveat (path for its name only). umask below 0 is the caller's. Answers the pid.
long ctr_spawn(int program_fd, const char *path, char *const argv[], char *const envp[],
               int in, int out, int err, const int *passed, int passed_count, int new_session, int umask);

// ---- waiting
long ctr_epoll_create(void);
long ctr_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data); // operation 1 add, 2 del, 3 mod
struct ctr_epoll_event { uint32_t events; uint64_t data; };
long ctr_epoll_wait(int epoll, struct ctr_epoll_event *events, int count, int timeout_ms);
struct ctr_pollfd { int fd; short events, revents; };
long ctr_poll(struct ctr_pollfd *fds, int count, int timeout_ms);
long ctr_signalfd(uint64_t mask);                 // bit n-1 for signal n; also blocks them in this thread
long ctr_default_signal(int number);
long ctr_block_signals(uint64_t mask);            // sets the thread's whole mask
long ctr_timerfd(int64_t first_ns, int64_t interval_ns); // monotonic, nonblocking
long ctr_timerfd_set(int fd, int64_t first_ns, int64_t interval_ns);
long ctr_eventfd(unsigned initial);
long ctr_inotify_init(void);
long ctr_inotify_add(int fd, const char *path, uint32_t mask);
int64_t ctr_clock_ns(int clock);                   // 0 realtime, 1 monotonic, 7 boottime

// ---- sockets
long ctr_socketpair(int type, int fds[2]);         // AF_UNIX; 1 stream, 5 seqpacket
long ctr_unix_listen(int dir, const char *name, int type, int backlog); // name below dir by /proc/self/fd
long ctr_unix_connect(int dir, const char *name, int type);
long ctr_accept(int fd);
long ctr_peer_uid(int fd);
// One message with descriptors (SCM_RIGHTS). Received descriptors are CLOEXEC; fd_count in: room, out: got.
long ctr_send_fds(int socket, const void *bytes, size_t size, const int *fds, int fd_count);
long ctr_receive_fds(int socket, void *bytes, size_t size, int *fds, int *fd_count);
long ctr_send(int socket, const void *bytes, size_t size);   // MSG_NOSIGNAL
long ctr_socket(int family, int type, int protocol);
long ctr_shutdown(int fd, int how);
long ctr_peek(int fd, void *bytes, size_t size);                          // recv, MSG_PEEK | MSG_WAITALL
// An address of the internet and a port: 4 or 16 bytes in the network's order, the port in the machine's.
struct ctr_internet { uint8_t address[16]; uint32_t size, scope; uint16_t port; };
long ctr_bind_internet(int fd, const struct ctr_internet *address);
long ctr_connect_internet(int fd, const struct ctr_internet *address);
long ctr_own_internet(int fd, struct ctr_internet *out);                // getsockname
long ctr_listen(int fd, int backlog);
long ctr_send_to(int fd, const void *bytes, size_t size, const struct ctr_internet *to); // MSG_NOSIGNAL
long ctr_receive_from(int fd, void *bytes, size_t size, struct ctr_internet *from);
long ctr_take_socket_error(int fd);                                       // SO_ERROR, as 0 or -errno
long ctr_share_port(int fd);                                              // SO_REUSEPORT
long ctr_only_ipv6(int fd);                                               // IPV6_V6ONLY
long ctr_allow_address_reuse(int fd);                                     // SO_REUSEADDR
long ctr_loopback_up(void);

// ---- terminals
long ctr_open_ptmx(void);
long ctr_pty_peer(int ptmx, int flags);            // TIOCGPTPEER
long ctr_unlock_pty(int ptmx);
long ctr_get_winsize(int fd, uint16_t *rows, uint16_t *columns);
long ctr_set_winsize(int fd, uint16_t rows, uint16_t columns);
long ctr_isatty(int fd);
struct ctr_termios { uint8_t bytes[128]; };
long ctr_tty_save(int fd, struct ctr_termios *saved);
long ctr_tty_raw(int fd);                          // from whatever it is now
long ctr_tty_restore(int fd, const struct ctr_termios *saved);
long ctr_tty_no_echo(int fd);

// ---- users
unsigned ctr_geteuid(void);
unsigned ctr_getegid(void);
