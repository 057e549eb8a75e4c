/* SPDX-License-Identifier: MIT */
/* A machine that fails: preloaded, it lets one call on files of given folders go wrong.
 *
 * What a process asks of the C library is counted if it is about a file at or below one of these
 * folders, over all processes that share a plan. Each such call is a line of the trace; the one that
 * the plan names fails, transfers less than it was asked to, or changes one bit of what it transfers.
 *
 * MACHINE_FAULTS is the plan, a line each: number of the call, or 0; what is done to it (fail,
 * last, shorten or flip); an errno, or the thousandths of what is transferred behind which the bit
 * lies; the file of the counter; that of the trace; the folders. A process reads it when it starts,
 * and one that has been forked when it calls machine_faults().
 *
 * Calls go to the kernel directly, not to the C library's own functions, which need not be found
 * then. What the C library does inside of itself (fread, mmap) is not seen. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PLAN 16384
#define ROOTS 16

/* Shared by all processes of a plan. */
struct progress {
  long calls;
  /* The kind of the call that failed, from which on all calls of its kind fail. */
  char failing[16];
};

static char plan[PLAN];
static const char *action, *trace_path, *roots[ROOTS];
static long at, number;
static struct progress *progress;

static char *next_line(char **rest) {
  char *line = strsep(rest, "\n");
  return line ? line : "";
}

__attribute__((constructor)) void machine_faults(void) {
  const char *given = getenv("MACHINE_FAULTS");
  if (!given || strlen(given) >= PLAN)
    return;
  char *rest = strcpy(plan, given);
  at = atol(next_line(&rest));
  action = next_line(&rest);
  number = atol(next_line(&rest));
  long handle = syscall(SYS_openat, AT_FDCWD, next_line(&rest), O_RDWR | O_CLOEXEC);
  if (handle < 0)
    return;
  trace_path = next_line(&rest);
  for (int i = 0; i < ROOTS; i++)
    roots[i] = rest ? next_line(&rest) : NULL;
  void *shared = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
  progress = shared == MAP_FAILED ? NULL : shared;
  syscall(SYS_close, handle);
}

static int is_below_a_root(const char *path) {
  for (int i = 0; i < ROOTS && roots[i]; i++) {
    size_t length = strlen(roots[i]);
    if (!strncmp(path, roots[i], length) && (path[length] == '/' || !path[length]))
      return 1;
  }
  return 0;
}

/* Find out the path of an open file, or of a name in a folder; return whether there is one. */
static int whole_path(int folder, const char *name, char *path) {
  long length = 0;
  if (!name || name[0] != '/') {
    if (folder == AT_FDCWD) {
      length = syscall(SYS_getcwd, path, PATH_MAX) - 1;
    } else {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
      length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    }
    if (length < 0)
      return 0;
    path[length++] = '/';
  }
  if (name && *name)
    length += snprintf(path + length, PATH_MAX - length, "%s", name);
  else
    path[--length] = 0;
  return length < PATH_MAX;
}

/* Count a call, and return whether it is the one that goes wrong. */
static int goes_wrong(const char *kind, int folder, const char *name) {
  char path[2 * PATH_MAX], line[2 * PATH_MAX + 64];
  int before = errno;
  if (!progress || !whole_path(folder, name, path) || !is_below_a_root(path))
    return 0;
  long mine = __atomic_add_fetch(&progress->calls, 1, __ATOMIC_SEQ_CST);
  int wrong = mine == at;
  if (wrong && !strcmp(action, "last"))
    strcpy(progress->failing, kind);
  wrong |= !strcmp(progress->failing, kind);
  long trace = syscall(SYS_openat, AT_FDCWD, trace_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  int length = snprintf(line, sizeof line, "%ld\t%d\t%s\t%s\n", mine, wrong, kind, path);
  syscall(SYS_write, trace, line, length);
  syscall(SYS_close, trace);
  errno = before;
  return wrong;
}

/* The same, for a call that can only fail: it has failed if this returns that it has. */
static int fails(const char *kind, int folder, const char *name) {
  if (!goes_wrong(kind, folder, name))
    return 0;
  errno = number;
  return 1;
}

static int must_fail(void) { return !strcmp(action, "fail") || !strcmp(action, "last"); }

static void flip(unsigned char *data, long size) {
  data[size * number / 1000] ^= 1 << number % 8;
}

/* --- Opening ---------------------------------------------------------------------------------- */

static int open_at(int folder, const char *name, int flags, mode_t mode) {
  if (fails(flags & O_CREAT ? "create" : "open", folder, name))
    return -1;
  return syscall(SYS_openat, folder, name, flags, mode);
}

#define MODE_AFTER(flags)                                                                          \
  mode_t mode = 0;                                                                                 \
  if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) {                                      \
    va_list rest;                                                                                  \
    va_start(rest, flags);                                                                         \
    mode = va_arg(rest, mode_t);                                                                   \
    va_end(rest);                                                                                  \
  }

int open(const char *name, int flags, ...) {
  MODE_AFTER(flags)
  return open_at(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...) {
  MODE_AFTER(flags)
  return open_at(AT_FDCWD, name, flags, mode);
}

int openat(int folder, const char *name, int flags, ...) {
  MODE_AFTER(flags)
  return open_at(folder, name, flags, mode);
}

int openat64(int folder, const char *name, int flags, ...) {
  MODE_AFTER(flags)
  return open_at(folder, name, flags, mode);
}

int creat(const char *name, mode_t mode) {
  return open_at(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat64(const char *name, mode_t mode) { return creat(name, mode); }

DIR *opendir(const char *name) {
  if (fails("list", AT_FDCWD, name))
    return NULL;
  return ((DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir"))(name);
}

/* --- Reading and writing ---------------------------------------------------------------------- */

static ssize_t read_at(int handle, void *data, size_t size, const off_t *offset) {
  int wrong = goes_wrong("read", handle, NULL);
  if (wrong && must_fail()) {
    errno = number;
    return -1;
  }
  if (wrong && !strcmp(action, "shorten") && size > 1)
    size = 1;
  ssize_t done = offset ? syscall(SYS_pread64, handle, data, size, *offset)
                        : syscall(SYS_read, handle, data, size);
  if (wrong && !strcmp(action, "flip") && done > 0)
    flip(data, done);
  return done;
}

ssize_t read(int handle, void *data, size_t size) { return read_at(handle, data, size, NULL); }

ssize_t pread(int handle, void *data, size_t size, off_t offset) {
  return read_at(handle, data, size, &offset);
}

ssize_t pread64(int handle, void *data, size_t size, off_t offset) {
  return read_at(handle, data, size, &offset);
}

static ssize_t write_at(int handle, const void *data, size_t size, const off_t *offset) {
  int wrong = goes_wrong("write", handle, NULL);
  if (wrong && must_fail()) {
    errno = number;
    return -1;
  }
  if (wrong && !strcmp(action, "shorten") && size > 1)
    size = 1;
  void *changed = NULL;
  if (wrong && !strcmp(action, "flip") && size > 0) {
    changed = memcpy(malloc(size), data, size);
    flip(changed, size);
    data = changed;
  }
  ssize_t done = offset ? syscall(SYS_pwrite64, handle, data, size, *offset)
                        : syscall(SYS_write, handle, data, size);
  free(changed);
  return done;
}

ssize_t write(int handle, const void *data, size_t size) {
  return write_at(handle, data, size, NULL);
}

ssize_t pwrite(int handle, const void *data, size_t size, off_t offset) {
  return write_at(handle, data, size, &offset);
}

ssize_t pwrite64(int handle, const void *data, size_t size, off_t offset) {
  return write_at(handle, data, size, &offset);
}

int fsync(int handle) { return fails("sync", handle, NULL) ? -1 : syscall(SYS_fsync, handle); }

int fdatasync(int handle) {
  return fails("sync", handle, NULL) ? -1 : syscall(SYS_fdatasync, handle);
}

int close(int handle) {
  /* Linux has closed the file even if it says that this failed. */
  int failed = fails("close", handle, NULL);
  int before = errno;
  int done = syscall(SYS_close, handle);
  if (!failed)
    return done;
  errno = before;
  return -1;
}

/* --- Names ------------------------------------------------------------------------------------ */

int renameat2(int folder, const char *name, int new_folder, const char *new_name,
              unsigned int flags) {
  if (fails("rename", folder, name))
    return -1;
  return syscall(SYS_renameat2, folder, name, new_folder, new_name, flags);
}

int renameat(int folder, const char *name, int new_folder, const char *new_name) {
  return renameat2(folder, name, new_folder, new_name, 0);
}

int rename(const char *name, const char *new_name) {
  return renameat2(AT_FDCWD, name, AT_FDCWD, new_name, 0);
}

int linkat(int folder, const char *name, int new_folder, const char *new_name, int flags) {
  if (fails("link", folder, name))
    return -1;
  return syscall(SYS_linkat, folder, name, new_folder, new_name, flags);
}

int link(const char *name, const char *new_name) {
  return linkat(AT_FDCWD, name, AT_FDCWD, new_name, 0);
}

int unlinkat(int folder, const char *name, int flags) {
  return fails("unlink", folder, name) ? -1 : syscall(SYS_unlinkat, folder, name, flags);
}

int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }

int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t mode) {
  return fails("mkdir", folder, name) ? -1 : syscall(SYS_mkdirat, folder, name, mode);
}

int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

/* --- What is known of a file ------------------------------------------------------------------- */

static int stat_at(int folder, const char *name, void *status, int flags) {
  if (fails("stat", folder, name))
    return -1;
  return syscall(SYS_newfstatat, folder, name, status, flags);
}

int fstatat(int folder, const char *restrict name, struct stat *restrict status, int flags) {
  return stat_at(folder, name, status, flags);
}

int fstatat64(int folder, const char *restrict name, struct stat64 *restrict status, int flags) {
  return stat_at(folder, name, status, flags);
}

int stat(const char *restrict name, struct stat *restrict status) {
  return stat_at(AT_FDCWD, name, status, 0);
}

int stat64(const char *restrict name, struct stat64 *restrict status) {
  return stat_at(AT_FDCWD, name, status, 0);
}

int lstat(const char *restrict name, struct stat *restrict status) {
  return stat_at(AT_FDCWD, name, status, AT_SYMLINK_NOFOLLOW);
}

int lstat64(const char *restrict name, struct stat64 *restrict status) {
  return stat_at(AT_FDCWD, name, status, AT_SYMLINK_NOFOLLOW);
}

int fstat(int handle, struct stat *status) { return stat_at(handle, "", status, AT_EMPTY_PATH); }

int fstat64(int handle, struct stat64 *status) {
  return stat_at(handle, "", status, AT_EMPTY_PATH);
}

int statx(int folder, const char *restrict name, int flags, unsigned int mask,
          struct statx *restrict status) {
  if (fails("stat", folder, name))
    return -1;
  return syscall(SYS_statx, folder, name, flags, mask, status);
}

int fchmod(int handle, mode_t mode) {
  return fails("chmod", handle, NULL) ? -1 : syscall(SYS_fchmod, handle, mode);
}

int chmod(const char *name, mode_t mode) {
  return fails("chmod", AT_FDCWD, name) ? -1 : syscall(SYS_fchmodat, AT_FDCWD, name, mode);
}

static int set_times(int folder, const char *name, const struct timespec times[2], int flags) {
  return fails("utime", folder, name) ? -1 : syscall(SYS_utimensat, folder, name, times, flags);
}

int utimensat(int folder, const char *name, const struct timespec times[2], int flags) {
  return set_times(folder, name, times, flags);
}

int futimens(int handle, const struct timespec times[2]) {
  return set_times(handle, NULL, times, 0);
}
