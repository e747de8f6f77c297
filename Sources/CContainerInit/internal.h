// Shared by the executor's files; not for other targets.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CContainerInit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

struct step {
    uint32_t op, size, arg_count, string_count;
    uint64_t args[];
    // uint32_t offsets[string_count] from the step's start, then the strings, each with its NUL.
};

struct context {
    const struct ctr_launch *launch;
    uint32_t index;   // of the step that runs
    uint32_t detail;  // set by a step before it answers an error
    int status;       // the child's end
    int root;         // the container's root directory (O_PATH), -1 before it is known
    int proc;         // a procfs that was checked, -1 until one is needed
    int null_mount;   // an attached bind of /dev/null to clone for masks
    int empty_mount;  // an attached empty read-only tmpfs to clone for masks
    int start;        // the FIFO that `start` reads until the program runs, -1 where nobody does
    int first_own;    // from this descriptor on none is the program's
    bool pivoted;     // `/` is the container's root
    bool attached;    // this launch made the root (it did not join one)
    bool shares_mounts; // the mount namespace is the runtime's own
    bool covers_root; // the root was attached over `/`
    bool has_terminal;
    bool umask_set;
    unsigned old_umask;
    char program[4096]; // what findProgram found
};

// Every call answers >= 0 or -errno.
#define CALL(number, ...) ({ long r_ = syscall((number), ##__VA_ARGS__); r_ < 0 ? -(long)errno : r_; })
#define FAIL(context, what, error) ({ (context)->detail = (what); (long)(error); })

static inline const char *text(const struct step *step, uint32_t i) {
    const uint32_t *offsets = (const uint32_t *)(step->args + step->arg_count);
    return (const char *)step + offsets[i];
}
static inline int slot(const struct context *c, uint64_t i) {
    return i < (uint64_t)c->launch->slot_count ? c->launch->slots[i] : -1;
}
static inline void shut(int fd) { if (fd >= 0) syscall(SYS_close, fd); }

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

// paths.c
long path_open(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
// An O_PATH descriptor of a path in the root; a missing file or directory and its parents are made.
long path_ensure(int root, const char *path, bool directory);
// The directory that holds the last name of a path in the root, made if missing; *name points into `path`.
long path_ensure_parent(int root, const char *path, const char **name);
// The root for steps that need no root of this launch's own: `/` where none was attached or joined.
long path_root(struct context *c);
long path_stat(int fd, struct stat *out);
long path_type(int fd); // f_type
// A procfs whose kind was checked: the host's while it is visible, else one of our own.
long path_proc(struct context *c);
long path_write_proc(struct context *c, const char *name, const char *value, size_t size);

// mounts.c
long mount_set_propagation(struct context *c, uint64_t flags);
long mount_attach_root(struct context *c, int fd, const char *place, bool shares_mounts);
long mount_new(struct context *c, const struct step *step);
long mount_attach(struct context *c, int fd, const char *path, bool directory, uint64_t propagation);
long mount_bind(struct context *c, const struct step *step);
long mount_bind_host(struct context *c, const struct step *step);
long mount_mask(struct context *c, const char *path);
long mount_read_only_path(struct context *c, const char *path);
long mount_attributes(int fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive);
long mount_pivot(struct context *c);
long mount_change_root(struct context *c);
long mount_enter_root(struct context *c, int fd);
long mount_again(struct context *c, const struct step *step);
long mount_propagation(struct context *c, const char *path, uint64_t flags);
long mount_move(int from, int to);
long mount_clone(int fd, bool recursive);

// nodes.c
long node_device(struct context *c, const struct step *step);
long node_symlink(struct context *c, const char *target, const char *path);
long node_directory(struct context *c, const char *path, uint32_t mode);
long copy_up(int from, int to);

// identity.c
long identity_bounding_set(uint64_t mask);
long identity_set(struct context *c, const struct step *step);
long identity_capabilities(const struct step *step);
long identity_seccomp(struct context *c, int fd, uint64_t flags);
long identity_become_root(void);
long identity_own_streams(uid_t uid);
long identity_label(struct context *c, const char *module, const char *label);

// streams.c
long stream_terminal(struct context *c, uint16_t rows, uint16_t columns);
long stream_standard(struct context *c, int in, int out, int error);
long stream_close(struct context *c, uint64_t keep);

// program.c
long program_find(struct context *c, const char *name, const char *search);
long program_execute(struct context *c, const struct step *step);
long program_working_directory(struct context *c, const char *path, bool create);
long program_await_start(struct context *c, int fd);

// reaper.c: returns only in the child that goes on.
long reap(struct context *c);

// launch.c
long report(struct context *c, uint32_t kind, long error, int descriptor);
// executor.c
__attribute__((noreturn)) void execute_steps(const struct ctr_launch *launch);
__attribute__((noreturn)) void execute_preparation(const struct ctr_launch *launch);

// hooks.c
long hook_run(struct context *c, const struct step *step);
