// The child's half of a launch: clone3 and the executor of a flat list of steps that LaunchPlan encodes. Between the
// clone and execve only raw system calls run: no malloc, stdio, NSS, locale or libc signal call.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Op codes of the encoded steps; LaunchPlan's StepCode holds the same table, and a test compares both.
enum ctr_op {
    CTR_OP_AWAIT_PARENT = 1, CTR_OP_JOIN_CGROUP, CTR_OP_JOIN_NAMESPACE, CTR_OP_UNSHARE, CTR_OP_NEW_SESSION,
    CTR_OP_NEW_KEYRING, CTR_OP_SET_PROPAGATION, CTR_OP_ATTACH_ROOT, CTR_OP_MOUNT, CTR_OP_ATTACH_MOUNT, CTR_OP_BIND,
    CTR_OP_MAKE_DIRECTORY, CTR_OP_MAKE_DEVICE, CTR_OP_SYMLINK, CTR_OP_MASK, CTR_OP_READ_ONLY_PATH,
    CTR_OP_READ_ONLY_ROOT, CTR_OP_SET_ROOT_PROPAGATION, CTR_OP_PIVOT_ROOT, CTR_OP_HOSTNAME, CTR_OP_DOMAINNAME,
    CTR_OP_SYSCTL, CTR_OP_LOOPBACK_UP, CTR_OP_RESOURCE_LIMIT, CTR_OP_OOM_SCORE_ADJUSTMENT, CTR_OP_UMASK,
    CTR_OP_TERMINAL, CTR_OP_STANDARD_STREAMS, CTR_OP_WORKING_DIRECTORY, CTR_OP_PARENT_DEATH_SIGNAL,
    CTR_OP_PERSONALITY, CTR_OP_SCHEDULER, CTR_OP_IO_PRIORITY, CTR_OP_DUMPABLE, CTR_OP_BOUNDING_SET, CTR_OP_IDENTITY,
    CTR_OP_CAPABILITIES, CTR_OP_NO_NEW_PRIVILEGES, CTR_OP_SECCOMP, CTR_OP_EXEC_LABEL, CTR_OP_CLOSE_DESCRIPTORS,
    CTR_OP_FIND_PROGRAM, CTR_OP_AWAIT_START, CTR_OP_REAP, CTR_OP_EXECUTE, CTR_OP_BECOME_ROOT, CTR_OP_TIME_OFFSETS,
    CTR_OP_HOOK, CTR_OP_MEMORY_POLICY, CTR_OP_CPU_AFFINITY, CTR_OP_PROPAGATION, CTR_OP_CHANGE_ROOT, CTR_OP_OWN_STREAMS, CTR_OP_BIND_HOST,
    CTR_OP_REMOUNT, CTR_OP_ENTER_ROOT,
    CTR_OP_END // one past the last
};

// Where in a step it failed, where the errno alone does not tell. The upper 24 bits of a report's detail hold an
// index (of a mount option).
enum ctr_detail {
    CTR_DETAIL_NONE = 0,
    CTR_DETAIL_TARGET,        // finding or making the place in the root
    CTR_DETAIL_SYMLINK,       // a symlink stands where the kernel's own file system goes
    CTR_DETAIL_FILE_SYSTEM,   // fsopen, fsmount
    CTR_DETAIL_OPTION,        // fsconfig of option [index]
    CTR_DETAIL_ATTACH,        // move_mount, open_tree
    CTR_DETAIL_ATTRIBUTES,    // mount_setattr
    CTR_DETAIL_NOT_PROC,      // not a procfs where one must be
    CTR_DETAIL_NOT_NULL,      // /dev/null is not the null device
    CTR_DETAIL_OUTSIDE,       // the directory is not inside the root
    CTR_DETAIL_NOT_IN_PATH,   // no directory of the search path has the program
    CTR_DETAIL_COPY_UP,       // copying what the image has into the new file system
    CTR_DETAIL_NO_TERMINALS,  // no devpts at /dev/pts
    CTR_DETAIL_MALFORMED,     // the plan itself
    CTR_DETAIL_HOOK_STATUS,   // a hook ended badly: in the middle 16 bits its wait status, above them which of its kind
    CTR_DETAIL_HOOK_TIME,     // a hook took too long and was killed
    CTR_DETAIL_HOOK_PROGRAM,  // a hook's program could not be executed
};

// What the child tells over its status socket (SOCK_SEQPACKET, close-on-exec: end of stream means it has executed).
enum ctr_report_kind {
    CTR_REPORT_FAILED = 1,   // at `step` with `error`; the child is gone after it
    CTR_REPORT_AWAITING = 2, // at `awaitParent`, `detail` is its stage: one byte lets it go on
    CTR_REPORT_TERMINAL = 3, // comes with the pseudo-terminal's master (SCM_RIGHTS)
    CTR_REPORT_CREATED = 4,  // at `awaitStart`
    CTR_REPORT_MADE = 5,     // after the preparation: `step` is the pid of the process that goes on, its pidfd comes along
    CTR_REPORT_LISTENER = 6, // comes with the seccomp filter's listener (SCM_RIGHTS)
    CTR_REPORT_UNPREPARED = 7, // as FAILED, but `step` is one of the preparation
};
struct ctr_report { uint32_t kind, step; int32_t error; uint32_t detail; };

struct ctr_launch {
    const void *program; // the encoded steps
    size_t size;
    // Steps of a process between: it joins or makes what must be there before the clone, then clones the container's
    // first process as its own sibling. NULL where there are none.
    const void *preparation;
    size_t preparation_size;
    const int *slots;
    int slot_count;
    uint64_t namespaces; // CLONE_NEW*
    int cgroup;          // a cgroup2 directory for CLONE_INTO_CGROUP, or -1
    int status_child, status_parent; // the two ends; the child closes the parent's
};

// Whether the encoded steps can be walked without leaving them: 0 or -EINVAL.
long ctr_init_check(const void *program, size_t size);
// Answers the child's pid (in the caller's pid namespace) and its pidfd, or -errno.
long ctr_init_launch(const struct ctr_launch *launch, int *pidfd);
// The next report with the descriptor that may come with it (-1: none). 1, 0 at the end, or -errno.
long ctr_init_next_report(int status_parent, struct ctr_report *report, int *descriptor);
// The wait status of a process that ended and was reaped by another (PIDFD_GET_INFO, 6.15 and later), or -errno: -EAGAIN
// while it is not reaped yet, -ENOTTY on older kernels.
long ctr_init_exit_status(int pidfd);
// Runs a program as a child of the caller's and waits: its standard input is `input`, its output and complaints go to
// `output` (-1: where the caller's go). 0 with the wait status, -ETIMEDOUT after so many milliseconds (0: no limit), when it
// was killed, or the -errno of what kept it from starting.
long ctr_init_run_hook(const char *path, const char *const *argv, const char *const *envp, int input, int output,
                       uint64_t milliseconds, int *status);
// A child in a new user namespace without mappings, which waits until it is killed: for a namespace that only maps ids.
// Answers its pid, or -errno.
long ctr_init_namespace_holder(int *pidfd);
// Becomes this program again from a read-only detached bind of its file, with these arguments, so that /proc/self/exe cannot
// be written to from inside (CVE-2019-5736). 0 where that is so already, or -errno. The words `oci … create|run|exec` make a
// program that has this linked do it before its main, once.
long ctr_init_seal(char *const *argv);
// Goes on in a new process while the caller's ends with this exit code; answers 0 in the new one, or -errno.
long ctr_init_go_on_in_background(int exit_code);
// Gives what malloc holds free back to the kernel: for a process that now sleeps for long.
void ctr_init_return_free_memory(void);
