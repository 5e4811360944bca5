// Preloaded into a process (glibc only), it makes the disk and the clock of that process misbehave as the file
// HELIX_BAD_MACHINE says, which is read again at every call: words among
//   full       writes below HELIX_BAD_MACHINE_DIR that make a file longer fail with ENOSPC
//   broken     fsync and fdatasync there fail with EIO
//   slow=MS    fsync and fdatasync there take so many milliseconds more
//   clock=S    the wall clock is so many seconds off (negative: behind)
#undef _FORTIFY_SOURCE
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ({ \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
  real; })

static char folder[PATH_MAX];
static const char *control;

__attribute__((constructor)) static void start(void) {
  const char *dir = getenv("HELIX_BAD_MACHINE_DIR");
  control = getenv("HELIX_BAD_MACHINE");
  if (dir == NULL || realpath(dir, folder) == NULL) folder[0] = '\0';
}

// By raw system calls: nothing of this process's own may be in the way.
static int says(const char *word, long *number) {
  char text[256];
  int saved = errno, found = 0;
  int fd = control == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    long length = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    text[length < 0 ? 0 : length] = '\0';
    const char *at = strstr(text, word);
    found = at != NULL;
    if (found && number != NULL) *number = strtol(at + strlen(word), NULL, 10);
  }
  errno = saved;
  return found;
}

static int is_ours(int fd) {
  char name[32], path[PATH_MAX];
  int saved = errno;
  if (folder[0] == '\0') return 0;
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(name, path, sizeof path - 1);
  errno = saved;
  if (length <= 0) return 0;
  path[length] = '\0';
  size_t size = strlen(folder);
  return strncmp(path, folder, size) == 0 && path[size] == '/';
}

static int has_no_room(int fd, off_t end) {
  struct stat about;
  if (!is_ours(fd) || !says("full", NULL) || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return 0;
  return end < 0 || end > about.st_size;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  off_t at = lseek(fd, 0, SEEK_CUR);
  if (has_no_room(fd, at < 0 ? -1 : at + (off_t)size)) return errno = ENOSPC, -1;
  return REAL(write)(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
  if (has_no_room(fd, at + (off_t)size)) return errno = ENOSPC, -1;
  return REAL(pwrite)(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
  if (has_no_room(fd, at + (off_t)size)) return errno = ENOSPC, -1;
  return REAL(pwrite64)(fd, bytes, size, at);
}

static int sync_fails(int fd) {
  long milliseconds = 0;
  if (!is_ours(fd)) return 0;
  if (says("slow=", &milliseconds)) usleep((useconds_t)milliseconds * 1000);
  return says("broken", NULL);
}

int fsync(int fd) {
  if (sync_fails(fd)) return errno = EIO, -1;
  return REAL(fsync)(fd);
}

int fdatasync(int fd) {
  if (sync_fails(fd)) return errno = EIO, -1;
  return REAL(fdatasync)(fd);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  long seconds = 0;
  int result = REAL(clock_gettime)(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && says("clock=", &seconds)) time->tv_sec += seconds;
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  long seconds = 0;
  int result = REAL(gettimeofday)(time, zone);
  if (result == 0 && says("clock=", &seconds)) time->tv_sec += seconds;
  return result;
}
