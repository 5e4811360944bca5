// Preloaded into a process (glibc only), it appends to HELIX_POWER_CUT_LOG what the process does to regular files below
// HELIX_POWER_CUT_DIR; power-cut.ts reads that trace. Each record is one O_APPEND write, so it outlives a SIGKILL.
//
// Directory entries (creations, renames, links, removals) count as durable at once; only contents have to be synced.
// -shm files are left out, as SQLite rebuilds them. Not seen: stdio (fopen), creat, writes through mmap (SQLite has
// none to the database), descriptors copied by dup or inherited (a shell's redirection), O_SYNC (counts as not synced).
#undef _FORTIFY_SOURCE
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { START = 1, OPEN, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, REMOVE, RENAME, LINK, FOLDER };
enum { DESCRIPTORS = 1 << 16, MOST_PARTS = 1000, HIGH = 512 };
#define MAGIC UINT64_C(0xc07a11da7af00d5e)
struct header { uint64_t magic; uint16_t kind, mode; uint32_t task; uint64_t inode, position, length; };
struct place { char path[PATH_MAX]; struct stat about; int below; };

static char root[PATH_MAX];
static size_t root_length;
static dev_t device;
static int log_fd = -1;
// Held over an operation and its record, so that their order is the same. Only for traced files: the child between fork
// and exec, which may have inherited a locked mutex, opens none.
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t inode_of[DESCRIPTORS];

#define REAL(name) ({ \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
  real; })

static void give_up(const char *why) {
  dprintf(STDERR_FILENO, "power-cut-shim: %s\n", why);
  abort();
}

// The data are the first header.length bytes of the parts. A record that a kill has torn lacks the closing magic.
static void record(struct header header, const struct iovec *parts, int count) {
  int saved = errno, used = 1;
  struct iovec all[MOST_PARTS + 2];
  uint64_t closing = ~MAGIC;
  size_t left = header.length;
  header.magic = MAGIC;
  header.task = (uint32_t)gettid();
  all[0] = (struct iovec){&header, sizeof header};
  for (int i = 0; i < count && left > 0; i++, used++) {
    size_t size = parts[i].iov_len < left ? parts[i].iov_len : left;
    all[used] = (struct iovec){parts[i].iov_base, size};
    left -= size;
  }
  all[used++] = (struct iovec){&closing, sizeof closing};
  if (REAL(writev)(log_fd, all, used) != (ssize_t)(sizeof header + header.length + sizeof closing))
    give_up("cannot append to the trace");
  errno = saved;
}

static void record_text(struct header header, const char *text, size_t length) {
  header.length = length;
  record(header, &(struct iovec){(void *)text, length}, 1);
}

__attribute__((constructor)) static void start(void) {
  const char *folder = getenv("HELIX_POWER_CUT_DIR"), *log = getenv("HELIX_POWER_CUT_LOG");
  struct stat about;
  if (folder == NULL || log == NULL) return;
  if (realpath(folder, root) == NULL || stat(root, &about) != 0) give_up("HELIX_POWER_CUT_DIR is not a folder");
  int fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) give_up("cannot open HELIX_POWER_CUT_LOG");
  // Out of the way of programs that give the low numbers a meaning.
  log_fd = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
  if (log_fd < 0) give_up("cannot move the descriptor of the trace");
  close(fd);
  device = about.st_dev;
  root_length = strlen(root);
  record_text((struct header){.kind = START}, root, root_length);
}

static int is_below(const char *path) {
  size_t length = strlen(path);
  if (root_length == 0 || strncmp(path, root, root_length) != 0 || path[root_length] != '/') return 0;
  return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

// Closing is not interposed: libuv closes by a raw system call. So a number is compared with the file it stands for.
static uint64_t traced(int fd) {
  struct stat about;
  int saved = errno;
  uint64_t inode = fd < 0 || fd >= DESCRIPTORS ? 0 : inode_of[fd];
  if (inode != 0 && (fstat(fd, &about) != 0 || about.st_ino != inode || about.st_dev != device)) inode = 0;
  errno = saved;
  return inode;
}

static int opened(int fd, int flags) {
  int saved = errno;
  char name[32], path[PATH_MAX];
  struct stat about;
  if (fd < 0) return fd;
  if (fd < DESCRIPTORS) inode_of[fd] = 0;
  if (root_length == 0 || (flags & O_ACCMODE) == O_RDONLY) return fd;
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(name, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = '\0';
  if (is_below(path) && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_dev == device) {
    struct header header = {.kind = OPEN, .mode = about.st_mode & 07777, .inode = about.st_ino};
    header.position = (uint64_t)about.st_size;
    if (fd >= DESCRIPTORS) give_up("more open files than it can trace");
    pthread_mutex_lock(&order);
    record_text(header, path, (size_t)length);
    if (flags & O_TRUNC) record((struct header){.kind = TRUNCATE, .inode = about.st_ino}, NULL, 0);
    inode_of[fd] = about.st_ino;
    pthread_mutex_unlock(&order);
  }
  errno = saved;
  return fd;
}

#define OPENS(name, signature, arguments) int name signature { \
  va_list rest; \
  va_start(rest, flags); \
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
  va_end(rest); \
  return opened(REAL(name) arguments, flags); }
OPENS(open, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPENS(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode))

// Position -1: where the descriptor stands, which the write has moved. An O_APPEND descriptor ignores a given position.
static ssize_t wrote(uint64_t inode, int fd, const struct iovec *parts, int count, off_t position, ssize_t size) {
  struct stat about;
  if (size <= 0) return size;
  if (position >= 0 && (fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &about) == 0) position = about.st_size - size;
  if (position < 0) position = lseek(fd, 0, SEEK_CUR) - size;
  struct header header = {.kind = WRITE, .inode = inode, .position = (uint64_t)position, .length = (uint64_t)size};
  record(header, parts, count);
  return size;
}

#define ONE const struct iovec one = {(void *)data, size}, *parts = &one; int count = 1;
#define MANY if (count > MOST_PARTS) count = MOST_PARTS;
#define WRITES(name, signature, arguments, prepare, position) ssize_t name signature { \
  uint64_t inode = traced(fd); \
  if (inode == 0) return REAL(name) arguments; \
  prepare \
  pthread_mutex_lock(&order); \
  ssize_t done = wrote(inode, fd, parts, count, position, REAL(name) arguments); \
  pthread_mutex_unlock(&order); \
  return done; }
WRITES(write, (int fd, const void *data, size_t size), (fd, data, size), ONE, -1)
WRITES(pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at), ONE, at)
WRITES(pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at), ONE, at)
WRITES(writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), MANY, -1)
WRITES(pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at), MANY, at)
WRITES(pwritev64, (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at), MANY, at)

#define TRUNCATES(name, offset) int name(int fd, offset size) { \
  uint64_t inode = traced(fd); \
  if (inode == 0) return REAL(name)(fd, size); \
  pthread_mutex_lock(&order); \
  int failed = REAL(name)(fd, size); \
  if (!failed) record((struct header){.kind = TRUNCATE, .inode = inode, .position = (uint64_t)size}, NULL, 0); \
  pthread_mutex_unlock(&order); \
  return failed; }
TRUNCATES(ftruncate, off_t) TRUNCATES(ftruncate64, off64_t)

// Two records: what was written before the first is durable if the second follows. The lock is not held in between.
static void sync_point(uint64_t inode, uint16_t kind) {
  if (inode == 0) return;
  pthread_mutex_lock(&order);
  record((struct header){.kind = kind, .inode = inode}, NULL, 0);
  pthread_mutex_unlock(&order);
}
#define SYNCS(name) int name(int fd) { \
  uint64_t inode = traced(fd); \
  sync_point(inode, SYNC_BEGIN); \
  int failed = REAL(name)(fd); \
  if (!failed) sync_point(inode, SYNC_END); \
  return failed; }
SYNCS(fsync) SYNCS(fdatasync)

// Copies inside the kernel are refused; callers (libuv, cp) then read and write.
#define REFUSES(name, signature, arguments, fd, code) ssize_t name signature { \
  return traced(fd) == 0 ? REAL(name) arguments : (errno = code, -1); }
REFUSES(sendfile, (int to, int from, off_t *at, size_t size), (to, from, at, size), to, EINVAL)
REFUSES(sendfile64, (int to, int from, off64_t *at, size_t size), (to, from, at, size), to, EINVAL)
REFUSES(copy_file_range, (int a, off64_t *i, int b, off64_t *o, size_t n, unsigned f), (a, i, b, o, n, f), b, ENOSYS)
long syscall(long number, ...) {
  va_list rest;
  long a[6];
  va_start(rest, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_copy_file_range && traced((int)a[2]) != 0) number = -1; // No such call: ENOSYS.
  return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void find(int at, const char *path, struct place *place) {
  int saved = errno;
  char full[PATH_MAX], *name;
  *place = (struct place){.below = 0};
  if (root_length == 0) return;
  if (at == AT_FDCWD || path[0] == '/') snprintf(full, sizeof full, "%s%s", path[0] == '/' ? "" : "./", path);
  else snprintf(full, sizeof full, "/proc/self/fd/%d/%s", at, path);
  for (size_t end = strlen(full); end > 1 && full[end - 1] == '/'; ) full[--end] = '\0';
  lstat(full, &place->about);
  name = strrchr(full, '/');
  *name++ = '\0';
  if (realpath(full[0] ? full : "/", place->path) != NULL) {
    size_t length = strlen(place->path);
    snprintf(place->path + length, sizeof place->path - length, "/%s", name);
    place->below = is_below(place->path);
  }
  errno = saved;
}

#define ENTRY(name, kind_, signature, arguments, at1, path1, at2, path2) int name signature { \
  struct place first, second; \
  char text[2 * PATH_MAX]; \
  find(at1, path1, &first); \
  find(at2, path2, &second); \
  if (!first.below && !second.below) return REAL(name) arguments; \
  pthread_mutex_lock(&order); \
  int failed = REAL(name) arguments; \
  struct header header = {.kind = kind_, .inode = first.about.st_ino}; \
  if (!failed) record_text(header, text, (size_t)sprintf(text, "%s%c%s", first.path, 0, second.path)); \
  pthread_mutex_unlock(&order); \
  return failed; }
#define ENTRY_OF_ONE(name, kind, signature, arguments, at, path) \
  ENTRY(name, kind, signature, arguments, at, path, AT_FDCWD, "/")
ENTRY_OF_ONE(unlink, REMOVE, (const char *path), (path), AT_FDCWD, path)
ENTRY_OF_ONE(unlinkat, REMOVE, (int at, const char *path, int flags), (at, path, flags), at, path)
ENTRY_OF_ONE(remove, REMOVE, (const char *path), (path), AT_FDCWD, path)
ENTRY_OF_ONE(rmdir, REMOVE, (const char *path), (path), AT_FDCWD, path)
ENTRY_OF_ONE(mkdir, FOLDER, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path)
ENTRY(rename, RENAME, (const char *a, const char *b), (a, b), AT_FDCWD, a, AT_FDCWD, b)
ENTRY(renameat2, RENAME, (int at, const char *a, int to, const char *b, unsigned f), (at, a, to, b, f), at, a, to, b)
ENTRY(link, LINK, (const char *a, const char *b), (a, b), AT_FDCWD, a, AT_FDCWD, b)
