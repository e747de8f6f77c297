#include "probe.h"

#include <ctype.h>
#include <dirent.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static char *lines[65536];
static size_t line_count;
static char *context_words;

void say(const char *format, ...) {
    char *line = NULL;
    va_list values;
    va_start(values, format);
    int length = vasprintf(&line, format, values);
    va_end(values);
    if (length < 0 || line_count == sizeof lines / sizeof *lines) abort();
    // One space between words: /proc has columns.
    char *to = line;
    for (char *from = line; *from; from++)
        if (!isspace((unsigned char)*from)) *to++ = *from;
        else if (to > line && to[-1] != ' ') *to++ = ' ';
    while (to > line && to[-1] == ' ') to--;
    *to = 0;
    lines[line_count++] = line;
}

const char *text_of(const char *file) {
    static char kept[8][4096];
    static unsigned turn;
    char *text = kept[turn++ % 8];
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return NULL;
    ssize_t length = read(fd, text, sizeof kept[0] - 1);
    close(fd);
    if (length < 0) return NULL;
    while (length && (text[length - 1] == '\n' || !text[length - 1])) length--;
    text[length] = 0;
    return text;
}

const char *field(const char *file, const char *name) {
    static char kept[8][256];
    static unsigned turn;
    const char *text = text_of(file);
    size_t length = strlen(name);
    for (const char *line = text; line && *line; line = (line = strchr(line, '\n')) ? line + 1 : NULL)
        if (!strncmp(line, name, length) && line[length] == ':') {
            char *value = kept[turn++ % 8];
            line += length + 1;
            while (*line == '\t') line++;
            snprintf(value, sizeof kept[0], "%.*s", (int)strcspn(line, "\n"), line);
            return value;
        }
    return "";
}

const char *error_name(int error) {
    const char *name = strerrorname_np(error);
    return name ? name : "unknown";
}

const char *context(const char *name) {
    static char value[256];
    size_t length = strlen(name);
    for (const char *word = context_words; word && *word; word += strspn(word, " ")) {
        size_t end = strcspn(word, " \n");
        if (!strncmp(word, name, length) && word[length] == '=') {
            snprintf(value, sizeof value, "%.*s", (int)(end - length - 1), word + length + 1);
            return value;
        }
        word += end;
    }
    return NULL;
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int report(char *words) {
    context_words = words;
    // First, before anything is opened here.
    report_files();
    report_process();
    report_calls();
    qsort(lines, line_count, sizeof *lines, compare);
    for (size_t n = 0; n < line_count; n++)
        if (n == 0 || strcmp(lines[n - 1], lines[n])) puts(lines[n]);
    return fflush(stdout) ? 1 : 0;
}

/// Exchanges two names COUNT times: in bursts, so that others have the processor too, and at no rhythm that they could
/// be in step with.
static int swap(const char *one, const char *other, unsigned long count) {
    unsigned long done = 0, burst = 0;
    while (done < count) {
        if (++burst % 61 == 0) usleep(300 + burst % 400);
        // Where a step in between is refused (a mount was there for a moment) the next try may do.
        if (!syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE)) done++;
        else if (errno != EBUSY && errno != ENOENT) {
            fprintf(stderr, "swap: %s\n", error_name(errno));
            return 1;
        }
    }
    printf("%lu\n", done);
    return 0;
}

/// Connects to every Unix socket of the network namespace that has PART in its name, abstract or not.
static int knock(const char *part) {
    char line[512];
    FILE *list = fopen("/proc/net/unix", "re");
    if (!list) return 1;
    int seen = 0, named = 0;
    while (fgets(line, sizeof line, list)) {
        char *name = strrchr(line, ' ');
        seen++;
        if (!name || (name[1] != '/' && name[1] != '@') || !strstr(name, part)) continue;
        name[strcspn(name, "\n")] = 0;
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        size_t length = strlen(++name);
        if (length >= sizeof address.sun_path) continue;
        memcpy(address.sun_path, name, length);
        if (*name == '@') address.sun_path[0] = 0;
        named++;
        static const int kinds[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
        for (int n = 0; n < 3; n++) {
            int fd = socket(AF_UNIX, kinds[n], 0);
            if (!connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)))
                printf("connected to %s\n", name);
            close(fd);
        }
    }
    printf("%d sockets, %d asked\n", seen, named);
    return 0;
}

/// Looks for other processes' programs and tries to open each for writing, as long as it runs and after. It writes
/// nothing: that it could is told.
static int overwrite(double seconds) {
    enum { most = 512 };
    static int programs[most];
    static char seen[most][256];
    int count = 0, could = 0, shown = 0;
    bool enough = false;
    for (time_t end = time(NULL) + (time_t)seconds; !enough && time(NULL) < end;) {
        // One more look after it is told: by then nothing that was seen runs any more.
        enough = !access("/enough", F_OK);
        DIR *processes = opendir("/proc");
        for (struct dirent *entry; processes && (entry = readdir(processes));) {
            char path[300], name[256];
            if (!isdigit((unsigned char)*entry->d_name) || count == most) continue;
            snprintf(path, sizeof path, "/proc/%s/exe", entry->d_name);
            int fd = open(path, O_PATH | O_CLOEXEC);
            if (fd < 0) continue;
            // The name of what was opened: the process may have executed its program since, which is the image's own.
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            ssize_t length = readlink(path, name, sizeof name - 1);
            name[length > 0 ? length : 0] = 0;
            if (length <= 0 || !strcmp(name, "/probe") || !strcmp(name, "/bin/busybox")) {
                close(fd);
                continue;
            }
            strcpy(seen[count], name);
            programs[count++] = fd;
        }
        if (processes) closedir(processes);
        // What runs is busy; after its end it is not.
        for (int n = 0; n < count; n++) {
            char path[64];
            snprintf(path, sizeof path, "/proc/self/fd/%d", programs[n]);
            int fd = open(path, O_WRONLY | O_CLOEXEC);
            if (fd < 0) continue;
            could++;
            printf("opened for writing: %s\n", seen[n]);
            close(fd);
        }
        usleep(200);
        if (shown < count) {
            printf("seen: %s\n", seen[shown++]);
            fflush(stdout);
        }
    }
    printf("%d seen, %d opened for writing\n", count, could);
    return 0;
}

/// Where the context is a file's, as in an image whose builder cannot quote it.
static char *words_of(char *argument) {
    const char *text = argument && *argument == '/' ? text_of(argument) : NULL;
    return text ? strdup(text) : argument;
}

int main(int count, char **words) {
    if (count >= 2 && !strcmp(words[1], "report")) {
        alarm(60);
        return report(words_of(words[2]));
    }
    if (count == 2 && !strcmp(words[1], "context")) return write_context(), 0;
    if (count == 5 && !strcmp(words[1], "swap")) return swap(words[2], words[3], strtoul(words[4], NULL, 10));
    if (count == 3 && !strcmp(words[1], "knock")) return knock(words[2]);
    if (count == 3 && !strcmp(words[1], "overwrite")) return overwrite(strtod(words[2], NULL));
    fputs("probe report [CONTEXT|FILE] | context | swap ONE OTHER COUNT | knock PART | overwrite SECONDS\n", stderr);
    return 2;
}
