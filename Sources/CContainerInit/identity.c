#include "internal.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define MOST_GROUPS 65536

long identity_bounding_set(uint64_t mask) {
    for (int capability = 0; capability < 64; capability++) {
        // EINVAL: past the last one that this kernel knows.
        long held = CALL(SYS_prctl, PR_CAPBSET_READ, capability, 0, 0, 0);
        if (held < 0) return 0;
        if (held == 0 || mask & 1ULL << capability) continue;
        long r = CALL(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
        if (r < 0) return r;
    }
    return 0;
}

// args: uid, gid, then the supplementary groups.
long identity_set(struct context *c, const struct step *step) {
    uid_t uid = (uid_t)step->args[0];
    gid_t gid = (gid_t)step->args[1];
    uint32_t count = step->arg_count - 2;
    // To the system calls this is "as it is": root.
    if (count > MOST_GROUPS || uid == (uid_t)-1 || gid == (gid_t)-1) return -EINVAL;
    // In the args they are 64 bits wide; setgroups wants them packed.
    gid_t few[64], *groups = few;
    size_t room = sizeof few;
    if (count > 64) {
        room = count * sizeof *groups;
        void *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) return -ENOMEM;
        groups = memory;
    }
    for (uint32_t i = 0; i < count; i++) groups[i] = (gid_t)step->args[2 + i];
    // The terminal belongs to its user, as after a login.
    long r = c->has_terminal ? CALL(SYS_fchown, 0, uid, (gid_t)-1) : 0;
    if (r >= 0) r = CALL(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (r >= 0) r = CALL(SYS_setgroups, count, groups);
    // A user namespace of an ordinary user denies it; there are no groups to lose but the user's own.
    if (r == -EPERM && count == 0 && step->string_count) r = 0;
    if (r >= 0) r = CALL(SYS_setresgid, gid, gid, gid);
    if (r >= 0) r = CALL(SYS_setresuid, uid, uid, uid);
    // The change of credentials took the death signal of the launch away.
    if (r >= 0) r = CALL(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    return r;
}

// In a user namespace that was just made or joined: its root, as far as it has one. A namespace may map no gid 0, and may
// deny setgroups.
long identity_become_root(void) {
    CALL(SYS_setgroups, 0, NULL);
    long r = CALL(SYS_setresgid, 0, 0, 0);
    if (r == -EINVAL) r = 0;
    if (r >= 0) r = CALL(SYS_setresuid, 0, 0, 0);
    if (r == -EINVAL) r = 0;
    // The change of credentials took the death signal of the launch away.
    if (r >= 0) r = CALL(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    return r;
}

// So that /dev/stdout can be opened by who writes there. What belongs to nobody in this namespace stays as it is.
long identity_own_streams(uid_t uid) {
    struct stat null, s;
    bool has_null = fstatat(AT_FDCWD, "/dev/null", &null, 0) == 0;
    for (int fd = 0; fd < 3; fd++) {
        if (path_stat(fd, &s) < 0 || s.st_uid == uid) continue;
        if (has_null && S_ISCHR(s.st_mode) && s.st_rdev == null.st_rdev) continue;
        long r = CALL(SYS_fchown, fd, uid, (gid_t)-1);
        if (r < 0 && r != -EINVAL && r != -EPERM && r != -EROFS) return r;
    }
    return 0;
}

// args: effective, permitted, inheritable, ambient.
long identity_capabilities(const struct step *step) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (int word = 0; word < 2; word++) {
        data[word].effective = (uint32_t)(step->args[0] >> 32 * word);
        data[word].permitted = (uint32_t)(step->args[1] >> 32 * word);
        data[word].inheritable = (uint32_t)(step->args[2] >> 32 * word);
    }
    long r = CALL(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (r >= 0) r = CALL(SYS_capset, &header, data);
    for (unsigned capability = 0; r >= 0 && capability < 64; capability++)
        if (step->args[3] & 1ULL << capability)
            r = CALL(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
    return r;
}

long identity_seccomp(struct context *c, int fd, uint64_t flags) {
    struct stat s;
    if (fd < 0) return FAIL(c, CTR_DETAIL_MALFORMED, -EBADF);
    long r = path_stat(fd, &s);
    if (r < 0) return r;
    size_t count = (size_t)s.st_size / sizeof(struct sock_filter);
    if (count == 0 || count > 0xffff || (size_t)s.st_size % sizeof(struct sock_filter))
        return FAIL(c, CTR_DETAIL_MALFORMED, -EINVAL);
    void *filter = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (filter == MAP_FAILED) return -(long)errno;
    struct sock_fprog program = {.len = (unsigned short)count, .filter = filter};
    r = CALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (unsigned)flags, &program);
    if (r < 0 || !(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)) return r;
    long listener = r;
    r = report(c, CTR_REPORT_LISTENER, 0, (int)listener);
    shut((int)listener);
    return r;
}

long identity_label(struct context *c, const char *module, const char *label) {
    size_t size = strlen(label);
    if (strcmp(module, "apparmor")) return path_write_proc(c, "thread-self/attr/exec", label, size);
    // Its own directory from 5.8 on; where other modules are stacked, the plain file is another's.
    long r = path_write_proc(c, "thread-self/attr/apparmor/exec", label, size);
    return r == -ENOENT ? path_write_proc(c, "thread-self/attr/exec", label, size) : r;
}
