/*
 * A disk that goes wrong at a chosen call: preloaded into the real command (LD_PRELOAD), it stands before the calls of libc by which a
 * program changes files, SQLite's too, and looks at those whose file lies below a folder.
 *
 *   VTLIC_DISK_UNDER   the folder; nothing is done without it
 *   VTLIC_DISK_LOG     a file that takes a line for each call looked at: "NAME PATH"
 *   VTLIC_DISK_FAULT   "N HOW": what happens at the N-th of them, counted from 1
 *     ENOSPC EIO EROFS         the call fails so, once
 *     ENOSPC+ EIO+ EROFS+      it fails so, and so does every later one (of a full disk: what needs room)
 *     short                    half of the bytes are written, and the caller is told so (only writes are counted)
 *     torn                     the same, and the next write finds the disk full (only writes are counted)
 *     kill-before kill-after   the process ends by SIGKILL
 *     no-links                 every link fails with EPERM, as on FAT and exFAT; N means nothing
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum how { NONE, FAIL, SHORT, TORN, KILL_BEFORE, KILL_AFTER, NO_LINKS };
enum act { PASS, REFUSE, HALF, DIE_AFTER };
enum kind { WRITES, MAKES, FLUSHES, NAMES, REMOVES };

static char under[PATH_MAX];
static size_t under_length;
static int log_fd = -1;
static long at;
static enum how how;
static int fault_errno;
static int sticky;
static atomic_long calls;
static atomic_int torn;

static int errno_of(const char *name) {
  if (!strcmp(name, "ENOSPC")) return ENOSPC;
  if (!strcmp(name, "EIO")) return EIO;
  return EROFS;
}

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("VTLIC_DISK_UNDER");
  const char *log = getenv("VTLIC_DISK_LOG");
  const char *fault = getenv("VTLIC_DISK_FAULT");
  if (folder == NULL || *folder == 0 || strlen(folder) >= sizeof under) return;
  if (log != NULL) log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  char name[32] = "";
  if (fault != NULL && sscanf(fault, "%ld %31s", &at, name) == 2) {
    if (!strcmp(name, "short")) how = SHORT;
    else if (!strcmp(name, "torn")) how = TORN;
    else if (!strcmp(name, "kill-before")) how = KILL_BEFORE;
    else if (!strcmp(name, "kill-after")) how = KILL_AFTER;
    else if (!strcmp(name, "no-links")) how = NO_LINKS;
    else {
      how = FAIL;
      size_t length = strlen(name);
      if (name[length - 1] == '+') {
        sticky = 1;
        name[length - 1] = 0;
      }
      fault_errno = errno_of(name);
    }
  }
  strcpy(under, folder);
  under_length = strlen(under);
}

static void die(void) {
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

static int is_under(const char *path) {
  return under_length > 0 && path != NULL && !strncmp(path, under, under_length) && (path[under_length] == '/' || path[under_length] == 0);
}

static int path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return 1;
}

/* What is to be done with this call. */
static enum act judge(const char *name, const char *path, enum kind kind) {
  if (!is_under(path)) return PASS;
  int writes_alone = how == SHORT || how == TORN;
  if (writes_alone && kind != WRITES) return PASS;
  if (atomic_load(&torn) && kind == WRITES) {
    atomic_store(&torn, 0);
    fault_errno = ENOSPC;
    return REFUSE;
  }
  long number = atomic_fetch_add(&calls, 1) + 1;
  if (log_fd >= 0) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %s\n", name, path);
    syscall(SYS_write, log_fd, line, length);
  }
  if (how == NONE || how == NO_LINKS || number < at || (number > at && !sticky)) return PASS;
  switch (how) {
    case FAIL:
      /* A full disk still gives room back, and what needs none goes on. */
      if (sticky && fault_errno == ENOSPC && number > at && kind != WRITES && kind != MAKES) return PASS;
      return REFUSE;
    case SHORT:
      return HALF;
    case TORN:
      atomic_store(&torn, 1);
      return HALF;
    case KILL_BEFORE:
      die();
      return PASS;
    default:
      return DIE_AFTER;
  }
}

static enum act judge_fd(const char *name, int fd, enum kind kind) {
  char path[PATH_MAX];
  if (under_length == 0 || fd == log_fd || !path_of(fd, path)) return PASS;
  return judge(name, path, kind);
}

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define AROUND(judged, call) \
  enum act act_now = (judged); \
  if (act_now == REFUSE) { \
    errno = fault_errno; \
    return -1; \
  } \
  __typeof__(call) result = (call); \
  if (act_now == DIE_AFTER) die(); \
  return result

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(ssize_t, "write", int, const void *, size_t);
  enum act act = judge_fd("write", fd, WRITES);
  if (act == HALF && count > 1) count /= 2;
  AROUND(act, real(fd, bytes, count));
}

#define PWRITE(name) \
  ssize_t name(int fd, const void *bytes, size_t count, off_t offset) { \
    REAL(ssize_t, #name, int, const void *, size_t, off_t); \
    enum act act = judge_fd("pwrite", fd, WRITES); \
    if (act == HALF && count > 1) count /= 2; \
    AROUND(act, real(fd, bytes, count, offset)); \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

#define ON_FD(name, kind) \
  int name(int fd) { \
    REAL(int, #name, int); \
    AROUND(judge_fd(#name, fd, kind), real(fd)); \
  }
ON_FD(fsync, FLUSHES)
ON_FD(fdatasync, FLUSHES)

#define TRUNCATE(name) \
  int name(int fd, off_t length) { \
    REAL(int, #name, int, off_t); \
    AROUND(judge_fd("ftruncate", fd, MAKES), real(fd, length)); \
  }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(int, #name, const char *, int, ...); \
    mode_t mode = 0; \
    if (flags & O_CREAT) { \
      va_list more; \
      va_start(more, flags); \
      mode = va_arg(more, mode_t); \
      va_end(more); \
    } \
    AROUND(flags & O_CREAT ? judge("open", path, MAKES) : PASS, real(path, flags, mode)); \
  }
OPEN(open)
OPEN(open64)

int link(const char *from, const char *to) {
  REAL(int, "link", const char *, const char *);
  if (how == NO_LINKS && is_under(to)) {
    errno = EPERM;
    return -1;
  }
  AROUND(judge("link", to, MAKES), real(from, to));
}

int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  AROUND(judge("rename", to, NAMES), real(from, to));
}

int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  AROUND(judge("unlink", path, REMOVES), real(path));
}

int mkdir(const char *path, mode_t mode) {
  REAL(int, "mkdir", const char *, mode_t);
  AROUND(judge("mkdir", path, MAKES), real(path, mode));
}
