#include "internal.h"

#include <linux/mount.h>
#include <sys/vfs.h>

extern char **environ;

#ifndef ST_RDONLY
#define ST_RDONLY 1
#endif

long ctr_init_seal(char *const *argv) {
    struct statfs system;
    struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    long own = CALL(SYS_openat, AT_FDCWD, "/proc/self/exe", O_PATH | O_CLOEXEC), mount = -1;
    if (own < 0) return own;
    long r = CALL(SYS_fstatfs, (int)own, &system);
    if (r >= 0 && !(system.f_flags & ST_RDONLY)) {
        r = mount = CALL(SYS_open_tree, (int)own, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        if (r >= 0) r = CALL(SYS_mount_setattr, (int)mount, "", AT_EMPTY_PATH, &read_only, sizeof read_only);
        if (r >= 0) r = CALL(SYS_execveat, (int)mount, "", argv, environ, AT_EMPTY_PATH);
    }
    shut((int)mount);
    shut((int)own);
    return r;
}

static bool is_launching_verb(const char *word) {
    return !strcmp(word, "run") || !strcmp(word, "create") || !strcmp(word, "exec");
}

// Before the runtime of Swift, whose start would be paid for twice. What it cannot tell from the words alone, the program
// does itself later; a failure it meets there again.
__attribute__((constructor(101))) static void seal_early(int argc, char **argv) {
    if (argc < 2) return;
    const char *slash = strrchr(argv[0], '/');
    int first = strcmp(argv[1], "oci") ? 1 : 2;
    if (first == 1 && strcmp(slash ? slash + 1 : argv[0], "ctr-oci")) return;
    for (int i = first; i < argc; i++)
        if (is_launching_verb(argv[i])) {
            ctr_init_seal(argv);
            return;
        }
}
