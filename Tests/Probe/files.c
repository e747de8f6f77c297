// What of the host's files, kernel and devices is within reach: descriptors, mounts, masks, /proc, /sys, /dev.
#include "probe.h"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

static const char *kind_of(const struct stat *found) {
    static char text[64];
    switch (found->st_mode & S_IFMT) {
    case S_IFIFO: return "fifo";
    case S_IFSOCK: return "socket";
    case S_IFDIR: return "directory";
    case S_IFREG: return "file";
    case S_IFLNK: return "link";
    default:
        snprintf(text, sizeof text, "%s %u:%u", S_ISCHR(found->st_mode) ? "c" : "b", major(found->st_rdev),
                 minor(found->st_rdev));
        return text;
    }
}

static void say_descriptors(void) {
    struct stat found;
    for (int fd = 0; fd < 4096; fd++) {
        if (fstat(fd, &found)) continue;
        static const char *const access[] = {"read", "write", "read and write", "?"};
        say("descriptor %d: %s, %s", fd, kind_of(&found), access[fcntl(fd, F_GETFL) & O_ACCMODE]);
    }
}

/// Takes out of comma-separated options what is of the host or its kernel, and of no rights.
static char *options(char *list, char *kept) {
    static const char *const passed_over[] = {"relatime", "noatime", "strictatime", "inode64", "lowerdir", "upperdir",
        "workdir", "xino", "uuid", "index", "metacopy", "redirect_dir", "nfs_export", "volatile", "nsdelegate",
        "memory_recursiveprot", "memory_hugetlb_accounting", "favordynmods", "seclabel", NULL};
    *kept = 0;
    for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
        const char *const *each = passed_over;
        size_t length = strcspn(word, "+=");
        while (*each && (strlen(*each) != length || strncmp(*each, word, length))) each++;
        if (*each) continue;
        if (*kept) strcat(kept, ",");
        strcat(kept, word);
    }
    return kept;
}

static bool below(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return !strncmp(path, directory, length) && (path[length] == '/' || !path[length]);
}

/// `cpu3` as `cpuN`: how many there are is the machine's.
static char *without_numbers(char *path) {
    char *at = strstr(path, "/cpu/cpu");
    if (at && at[8] >= '0' && at[8] <= '9') {
        char *rest = at + 8 + strspn(at + 8, "0123456789");
        at[8] = 'N';
        memmove(at + 9, rest, strlen(rest) + 1);
    }
    return path;
}

static void say_mounts(void) {
    FILE *list = fopen("/proc/self/mountinfo", "re");
    char *line = NULL, cgroups[1100] = "";
    size_t size = 0;
    while (list && getline(&line, &size, list) > 0) {
        char root[1024], target[1024], flags[1024], type[64], super[4096], kept[1024], kept_super[4096];
        char *rest = strstr(line, " - ");
        if (!rest || sscanf(line, "%*d %*d %*s %1023s %1023s %1023s", root, target, flags) != 3
            || sscanf(rest, " - %63s %*s %4095[^\n]", type, super) != 2) continue;
        *rest = 0;
        const char *propagation = strstr(line, " shared:") ? "shared" : strstr(line, " master:") ? "slave" : "private";
        options(flags, kept);
        options(super, kept_super);
        without_numbers(target);
        bool of_kernel = below(target, "/proc") || below(target, "/sys");
        if (!strcmp(target, "/sys/fs/cgroup"))
            // The last one covers those before it.
            snprintf(cgroups, sizeof cgroups, "%s, %s", kept, propagation);
        else if (below(target, "/sys/fs/cgroup")) say("mount /sys/fs/cgroup: cgroups %s, %s", kept, propagation);
        else if (!strcmp(root, "/null") && of_kernel)
            say("~mount %s: null %s, %s", target, kept, propagation);
        else if (of_kernel && strcmp(target, "/proc") && strcmp(target, "/sys"))
            say("~mount %s: %s %s %s, %s", target, type, kept, kept_super, propagation);
        else if (!strcmp(type, "devtmpfs") && below(target, "/dev"))
            say("mount of a device: bind %s, %s", kept, propagation);
        else if (strcmp(root, "/") && strcmp(type, "proc") && strcmp(type, "sysfs"))
            say("mount %s: bind %s, %s", target, kept, propagation);
        else say("mount %s: %s %s %s, %s", target, type, kept, kept_super, propagation);
    }
    if (*cgroups) say("mount /sys/fs/cgroup: cgroups %s", cgroups);
    free(line);
    if (list) fclose(list);
}

/// What runtimes hide or protect, or should.
static const char *const paths[] = {
    "/proc/acpi", "/proc/asound", "/proc/bus", "/proc/fs", "/proc/interrupts", "/proc/irq", "/proc/kcore", "/proc/keys",
    "/proc/key-users", "/proc/kallsyms", "/proc/kmsg", "/proc/kpagecount", "/proc/latency_stats", "/proc/sched_debug",
    "/proc/scsi", "/proc/sys", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/timer_list",
    "/proc/timer_stats", "/proc/vmallocinfo", "/proc/slabinfo", "/proc/config.gz", "/proc/pressure",
    "/sys/dev/block", "/sys/devices/virtual/dmi", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/bpf",
    "/sys/fs/cgroup/release_agent", "/sys/fs/selinux", "/sys/kernel/debug", "/sys/kernel/security",
    "/sys/kernel/tracing", "/sys/kernel/vmcoreinfo", "/sys/module",
    "/sys/devices/system/cpu/cpu0/thermal_throttle",
};

static void say_paths(void) {
    for (size_t n = 0; n < sizeof paths / sizeof *paths; n++) {
        struct stat found;
        struct statvfs mount;
        struct statfs system;
        char path[128];
        snprintf(path, sizeof path, "%s", paths[n]);
        if (stat(path, &found) || statvfs(path, &mount) || statfs(path, &system)) continue;
        const char *what = "shown";
        char byte;
        if (S_ISCHR(found.st_mode) && found.st_rdev == makedev(1, 3)) what = "null";
        else if (S_ISDIR(found.st_mode)) {
            DIR *directory = opendir(path);
            int entries = 0;
            while (directory && readdir(directory)) entries++;
            what = !directory ? "closed" : entries <= 2 ? "empty" : "shown";
            if (directory) closedir(directory);
            if (system.f_type == TMPFS_MAGIC && entries <= 2) what = "empty tmpfs";
        } else {
            int fd = open(path, O_RDONLY | O_NONBLOCK);
            if (fd < 0) what = "closed";
            else if (strcmp(path, "/proc/kmsg") && read(fd, &byte, 1) <= 0) what = "empty";
            close(fd);
        }
        say("~path %s: %s, %s", without_numbers(path), what, mount.f_flag & ST_RDONLY ? "read-only" : "writable mount");
    }
}

// MARK: Files that can be opened for writing

static char *found_files[4096];
static size_t found_count, found_total;

static bool is_number(const char *name) { return strspn(name, "0123456789") == strlen(name); }

static void walk(int parent, const char *name, const char *path, int depth) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        const char *each = entry->d_name;
        char below_path[2048];
        if (!strcmp(each, ".") || !strcmp(each, "..") || entry->d_type == DT_LNK) continue;
        // Processes' own files are theirs. The tracer's, the debugger's and the policies' do things when they are opened.
        if (depth == 0 && is_number(each)) continue;
        if (!strcmp(each, "debug") || !strcmp(each, "tracing") || !strcmp(each, "security")) continue;
        snprintf(below_path, sizeof below_path, "%s/%s", path, each);
        if (entry->d_type == DT_DIR) walk(fd, each, below_path, depth + 1);
        else if (entry->d_type == DT_REG) {
            struct stat found;
            int file = openat(fd, each, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
            if (file < 0) continue;
            // Root opens also those that nobody can write. A mask is a device.
            bool counts = !fstat(file, &found) && S_ISREG(found.st_mode) && found.st_mode & 0222;
            close(file);
            if (!counts) continue;
            found_total++;
            if (found_count < sizeof found_files / sizeof *found_files) found_files[found_count++] = strdup(below_path);
        }
    }
    closedir(directory);
}

static void say_writable(const char *top) {
    enum { told = 40 };
    found_count = found_total = 0;
    walk(AT_FDCWD, top, top, 0);
    if (found_total > told) say("writable files in %s: more than %d", top, told);
    for (size_t n = 0; n < found_count; n++) {
        if (found_total <= told) say("~writable %s", found_files[n]);
        free(found_files[n]);
    }
}

// MARK: Devices

static void say_devices(void) {
    DIR *directory = opendir("/dev");
    int nodes = 0;
    struct stat each;
    // Where nodes cannot be made they are bound: what readdir says is of the places.
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        nodes += !fstatat(dirfd(directory), entry->d_name, &each, AT_SYMLINK_NOFOLLOW)
            && (S_ISCHR(each.st_mode) || S_ISBLK(each.st_mode));
    if (nodes > 20) say("devices: the host's");
    if (directory) rewinddir(directory);
    for (struct dirent *entry; nodes <= 20 && directory && (entry = readdir(directory));) {
        char path[300], target[256];
        struct stat found;
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        if (lstat(path, &found)) continue;
        ssize_t length = S_ISLNK(found.st_mode) ? readlink(path, target, sizeof target) : -1;
        if (length >= 0) say("device %s: link to %.*s", path, (int)length, target);
        else say("device %s: %s %04o %u:%u", path, kind_of(&found), found.st_mode & 07777, found.st_uid, found.st_gid);
    }
    if (directory) closedir(directory);
}

/// Nodes are made where devices work, opened for reading, and removed. Nothing here does anything when it is opened.
static void say_nodes(void) {
    static const struct { const char *name; mode_t kind; unsigned major, minor; } tried[] = {
        {"null", S_IFCHR, 1, 3}, {"mem", S_IFCHR, 1, 1}, {"port", S_IFCHR, 1, 4}, {"kmsg", S_IFCHR, 1, 11},
        {"fuse", S_IFCHR, 10, 229}, {"kvm", S_IFCHR, 10, 232}, {"loop-control", S_IFCHR, 10, 237},
        {"net/tun", S_IFCHR, 10, 200}, {"loop0", S_IFBLK, 7, 0}, {"sda", S_IFBLK, 8, 0},
    };
    for (size_t n = 0; n < sizeof tried / sizeof *tried; n++) {
        static const char *const node = "/dev/.probe";
        const char *made = "made", *opened = "";
        if (mknod(node, tried[n].kind | 0600, makedev(tried[n].major, tried[n].minor))) made = error_name(errno);
        else {
            int fd = open(node, O_RDONLY | O_NONBLOCK);
            opened = fd >= 0 ? ", not refused" : errno == EPERM || errno == EACCES ? ", refused" : ", not refused";
            close(fd);
            unlink(node);
        }
        say("node %s: %s%s", tried[n].name, made, opened);
    }
}

static void say_cgroup(void) {
    FILE *list = fopen("/proc/self/cgroup", "re");
    char line[1024];
    while (list && fgets(line, sizeof line, list)) {
        const char *path = strchr(line, ':');
        path = path ? strchr(path + 1, ':') : NULL;
        if (!path) continue;
        // An exec's has its client's number and time in its name; others have ids.
        for (char *id = line; *id; id++) {
            size_t length = strspn(id, "0123456789abcdef");
            if (length == 64) memmove(strcpy(id, "ID") + 2, id + length, strlen(id + length) + 1);
        }
        if (!strncmp(path, ":/exec-", 7)) say("cgroup: /exec-");
        else say("cgroup: %s", path + 1);
    }
    if (list) fclose(list);
    int fd = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) say("~cgroup.procs: writable");
    close(fd);
}

static void say_interfaces(void) {
    if (is_callers("net")) {
        say("interfaces: the caller's");
        return;
    }
    static const char *const settings[] = {"ip_unprivileged_port_start", "ping_group_range"};
    for (int n = 0; n < 2; n++) {
        char path[128];
        snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", settings[n]);
        const char *value = text_of(path);
        say("sysctl net.ipv4.%s: %s", settings[n], value ? value : "none");
    }
    FILE *list = fopen("/proc/net/dev", "re");
    char line[512];
    while (list && fgets(line, sizeof line, list)) {
        char *end = strchr(line, ':');
        if (end) say("interface %.*s", (int)(end - line), line);
    }
    if (list) fclose(list);
}

void report_files(void) {
    char directory[256];
    say_descriptors();
    say_mounts();
    say_paths();
    say_writable("/proc");
    say_writable("/sys");
    say_devices();
    say_nodes();
    say_cgroup();
    say_interfaces();
    say("working directory: %s", getcwd(directory, sizeof directory) ? directory : error_name(errno));
}
