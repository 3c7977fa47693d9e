/* Stands between a process and the C library (LD_PRELOAD). Asleep until `shim_watch` is called; then it
 * logs, in the order in which they happen, everything that the process does to the files below one
 * folder, and the words that it says. `shim_fail` makes chosen calls fail.
 *
 * The log is read by cuts.py, which says what each record means.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(result, name, ...)                                     \
    static result (*real)(__VA_ARGS__);                             \
    if (!real)                                                      \
        real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
#define LOCKED(statements)                                          \
    do {                                                            \
        pthread_mutex_lock(&lock);                                  \
        statements;                                                 \
        int kept_ = errno;                                          \
        pthread_mutex_unlock(&lock);                                \
        errno = kept_;                                              \
    } while (0)

struct __attribute__((packed)) head {
    char kind;
    uint16_t path, other;
    uint32_t size;
    uint64_t file;
    int64_t offset;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_size;
static int log_fd = -1, words_fd = -1;

static struct {
    char calls[64], suffix[128];
    int every, seen, error;
} fault;

static ssize_t raw_write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return real(fd, data, size);
}

/* Everything below must be called with the lock held. */

static void put(const void *data, size_t size) {
    for (const char *from = data; size > 0;) {
        ssize_t done = raw_write(log_fd, from, size);
        if (done <= 0)
            _exit(99);
        from += done;
        size -= (size_t)done;
    }
}

static void note(char kind, uint64_t file, int64_t offset, const char *path, const char *other,
                 const void *data, size_t size) {
    int kept = errno;
    if (log_fd >= 0) {
        struct head head = {kind, path ? strlen(path) : 0, other ? strlen(other) : 0, size, file, offset};
        put(&head, sizeof head);
        put(path, head.path);
        put(other, head.other);
        put(data, size);
    }
    errno = kept;
}

static int below(const char *path) {
    return root_size && strncmp(path, root, root_size) == 0 && (path[root_size] == '/' || !path[root_size]);
}

/* The path that a call means, made absolute; answers whether it is one that is watched. */
static int watched_path(int folder, const char *name, char *path) {
    if (!root_size || !name)
        return 0;
    if (name[0] == '/' || folder == AT_FDCWD) {
        if (name[0] != '/')
            return 0;
        snprintf(path, PATH_MAX, "%s", name);
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t size = readlink(link, path, PATH_MAX - 1);
        if (size < 0)
            return 0;
        snprintf(path + size, PATH_MAX - (size_t)size, "/%s", name);
    }
    return below(path);
}

/* The file behind a descriptor, if it is watched; 0 otherwise. */
static uint64_t watched_file(int fd, char *path, struct stat *about) {
    if (!root_size || fd == log_fd || fd == words_fd)
        return 0;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    if (size < 0)
        return 0;
    path[size] = 0;
    if (!below(path) || fstat(fd, about) || !(S_ISREG(about->st_mode) || S_ISDIR(about->st_mode)))
        return 0;
    return about->st_ino;
}

static int fails(const char *call, const char *path) {
    size_t size = strlen(path), end = strlen(fault.suffix);
    if (!fault.every || !strstr(fault.calls, call) || size < end || strcmp(path + size - end, fault.suffix))
        return 0;
    if (++fault.seen % fault.every)
        return 0;
    errno = fault.error;
    return 1;
}

static uint64_t number_of(const char *path) {
    struct stat about;
    return lstat(path, &about) ? 0 : about.st_ino;
}

/* What the process under test calls, by ctypes. */

void shim_watch(const char *folder, const char *log, int words) {
    REAL(int, "open64", const char *, int, ...);
    int fd = log ? real(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    LOCKED(log_fd = fd; words_fd = words; snprintf(root, sizeof root, "%s", folder);
           root_size = strlen(root));
}

/* From now on one in so many of these calls fails, on files that end so; 0 for none. */
void shim_fail(const char *calls, const char *suffix, int every, int error) {
    LOCKED(snprintf(fault.calls, sizeof fault.calls, "%s", calls);
           snprintf(fault.suffix, sizeof fault.suffix, "%s", suffix);
           fault.seen = 0; fault.every = every; fault.error = error);
}

/* What is interposed. */

static int opened(int (*open_it)(int, const char *, int, mode_t), int folder, const char *name, int flags,
                  mode_t mode) {
    char path[PATH_MAX];
    int fd = -1;
    if (!root_size || !(flags & (O_WRONLY | O_RDWR | O_CREAT)) || !watched_path(folder, name, path))
        return open_it(folder, name, flags, mode);
    LOCKED(
        if (!fails("open", path)) {
            uint64_t before = number_of(path);
            fd = open_it(folder, name, flags, mode);
            if (fd >= 0 && !before)
                note('C', number_of(path), 0, path, NULL, NULL, 0);
            else if (fd >= 0 && (flags & O_TRUNC))
                note('T', before, 0, path, NULL, NULL, 0);
        });
    return fd;
}

static int plain_open(int folder, const char *name, int flags, mode_t mode) {
    REAL(int, "open64", const char *, int, ...);
    (void)folder;
    return real(name, flags, mode);
}

static int open_at(int folder, const char *name, int flags, mode_t mode) {
    REAL(int, "openat64", int, const char *, int, ...);
    return real(folder, name, flags, mode);
}

#define MODE(flags)                                                 \
    mode_t mode = 0;                                                \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                        \
        va_list list;                                               \
        va_start(list, flags);                                      \
        mode = va_arg(list, mode_t);                                \
        va_end(list);                                               \
    }

int open64(const char *name, int flags, ...) {
    MODE(flags)
    return opened(plain_open, AT_FDCWD, name, flags, mode);
}

int open(const char *name, int flags, ...) {
    MODE(flags)
    return opened(plain_open, AT_FDCWD, name, flags, mode);
}

int openat64(int folder, const char *name, int flags, ...) {
    MODE(flags)
    return opened(open_at, folder, name, flags, mode);
}

int openat(int folder, const char *name, int flags, ...) {
    MODE(flags)
    return opened(open_at, folder, name, flags, mode);
}

static ssize_t wrote(int fd, const void *data, size_t size, int64_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    char path[PATH_MAX];
    struct stat about;
    ssize_t done = -1;
    if (fd == words_fd && log_fd >= 0)
        LOCKED(note('A', 0, 0, NULL, NULL, data, size));
    if (!root_size || fd == log_fd || fd == words_fd)
        return offset < 0 ? raw_write(fd, data, size) : real(fd, data, size, offset);
    LOCKED(
        uint64_t file = watched_file(fd, path, &about);
        if (!file || !fails("write", path)) {
            int64_t at = offset;
            if (file && at < 0)
                at = fcntl(fd, F_GETFL) & O_APPEND ? about.st_size : lseek64(fd, 0, SEEK_CUR);
            done = offset < 0 ? raw_write(fd, data, size) : real(fd, data, size, offset);
            if (file && done > 0)
                note('W', file, at, NULL, NULL, data, (size_t)done);
        });
    return done;
}

ssize_t write(int fd, const void *data, size_t size) { return wrote(fd, data, size, -1); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return wrote(fd, data, size, at); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return wrote(fd, data, size, at); }

ssize_t pread64(int fd, void *data, size_t size, off64_t offset) {
    REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
    char path[PATH_MAX];
    struct stat about;
    int failed = 0;
    if (fault.every)
        LOCKED(failed = watched_file(fd, path, &about) && fails("read", path));
    return failed ? -1 : real(fd, data, size, offset);
}

int ftruncate64(int fd, off64_t size) {
    REAL(int, "ftruncate64", int, off64_t);
    char path[PATH_MAX];
    struct stat about;
    int result = -1;
    LOCKED(
        uint64_t file = watched_file(fd, path, &about);
        if (!file || !fails("write", path)) {
            result = real(fd, size);
            if (file && !result)
                note('T', file, size, NULL, NULL, NULL, 0);
        });
    return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* What was written before 'B' is on the disk at 'S'; at 'F' nobody knows. */
static int synced(int (*sync_it)(int), int fd) {
    char path[PATH_MAX];
    struct stat about;
    int failed = 0;
    uint64_t file;
    LOCKED(if ((file = watched_file(fd, path, &about))) {
        note('B', file, 0, NULL, NULL, NULL, 0);
        failed = fails("sync", path);
    });
    int error = errno, result = failed ? -1 : sync_it(fd);
    if (failed)
        errno = error;
    if (file)
        LOCKED(note(result ? 'F' : 'S', file, 0, NULL, NULL, NULL, 0));
    return result;
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return synced(real, fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return synced(real, fd);
}

static int renamed(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    REAL(int, "renameat2", int, const char *, int, const char *, unsigned);
    char path[PATH_MAX], other[PATH_MAX];
    int result;
    LOCKED(
        int here = watched_path(from_folder, from, path) && watched_path(to_folder, to, other);
        result = real(from_folder, from, to_folder, to, flags);
        if (here && !result)
            note(flags & RENAME_EXCHANGE ? 'X' : 'R', 0, 0, path, other, NULL, 0));
    return result;
}

int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    return renamed(a, from, b, to, flags);
}

static int removed(int folder, const char *name, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    char path[PATH_MAX];
    int result;
    LOCKED(
        int here = watched_path(folder, name, path);
        result = real(folder, name, flags);
        if (here && !result)
            note('U', 0, 0, path, NULL, NULL, 0));
    return result;
}

int unlink(const char *name) { return removed(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return removed(AT_FDCWD, name, AT_REMOVEDIR); }
int unlinkat(int folder, const char *name, int flags) { return removed(folder, name, flags); }

static int made(int folder, const char *name, mode_t mode) {
    REAL(int, "mkdirat", int, const char *, mode_t);
    char path[PATH_MAX];
    int result;
    LOCKED(
        int here = watched_path(folder, name, path);
        result = real(folder, name, mode);
        if (here && !result)
            note('M', number_of(path), 0, path, NULL, NULL, 0));
    return result;
}

int mkdir(const char *name, mode_t mode) { return made(AT_FDCWD, name, mode); }
int mkdirat(int folder, const char *name, mode_t mode) { return made(folder, name, mode); }
