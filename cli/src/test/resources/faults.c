/* Preloaded into the workers, meets faults as long as a file is there. Of rank 1:
   FAULT_LOOP: its rank computes in native code for ever;
   FAULT_CUT: its network carries nothing any more: what is sent is lost, and nothing comes.
   Of all ranks:
   FAULT_FULL: nothing can be written to a file: the disk is full;
   FAULT_SLOW: the disk takes half a second for each file to be safe on it;
   FAULT_CLOCK: the time of day is a day later.
   Who meets one of the last two leaves a mark: a file of that name with .met behind it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int happens_everywhere(const char *fault) {
  const char *rank = getenv("DUOKA_RANK");
  const char *file = getenv(fault);
  int before = errno;
  int here = rank && *rank && file && !access(file, F_OK);
  errno = before;
  return here;
}

static int happens(const char *fault) {
  const char *rank = getenv("DUOKA_RANK");
  return rank && !strcmp(rank, "1") && happens_everywhere(fault);
}

/* Once is enough: what comes later would cost every reading of the clock a file. */
static void mark(const char *fault, int *marked) {
  if (__atomic_exchange_n(marked, 1, __ATOMIC_RELAXED)) return;
  int before = errno;
  char name[PATH_MAX];
  snprintf(name, sizeof name, "%s.met", getenv(fault));
  int file = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0) close(file);
  errno = before;
}

static void delay(void) {
  static int marked;
  if (!happens_everywhere("FAULT_SLOW")) return;
  usleep(500000);
  mark("FAULT_SLOW", &marked);
}

static int is_full(int fd) {
  struct stat file;
  if (!happens_everywhere("FAULT_FULL") || fstat(fd, &file) || !S_ISREG(file.st_mode)) return 0;
  errno = ENOSPC;
  return 1;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, now);
  static int marked;
  if (clock == CLOCK_REALTIME && happens_everywhere("FAULT_CLOCK")) {
    now->tv_sec += 24 * 3600;
    mark("FAULT_CLOCK", &marked);
  }
  return result;
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  delay();
  return real(fd);
}

int fsync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  delay();
  return real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  return is_full(fd) ? -1 : real(fd, bytes, size, at);
}

static int is_cut(int fd) {
  int before = errno;
  struct sockaddr_storage peer;
  socklen_t size = sizeof peer;
  int remote = !getpeername(fd, (struct sockaddr *)&peer, &size) &&
               (peer.ss_family == AF_INET || peer.ss_family == AF_INET6);
  int cut = remote && happens("FAULT_CUT");
  errno = before;
  return cut;
}

static void wait_for_ever(void) {
  for (;;) pause();
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  static int (*real)(void **, size_t, size_t);
  if (!real) real = (int (*)(void **, size_t, size_t))dlsym(RTLD_NEXT, "posix_memalign");
  char thread[16] = "";
  prctl(PR_GET_NAME, thread);
  if (!strcmp(thread, "rank-1") && happens("FAULT_LOOP")) {
    for (volatile unsigned long turns = 0;; turns++) {
    }
  }
  return real(memory, alignment, size);
}

ssize_t write(int fd, const void *bytes, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  if (is_full(fd)) return -1;
  return is_cut(fd) ? (ssize_t)size : real(fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (!real) real = (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
  if (is_full(fd)) return -1;
  if (!is_cut(fd)) return real(fd, parts, count);
  ssize_t size = 0;
  for (int i = 0; i < count; i++) size += (ssize_t)parts[i].iov_len;
  return size;
}

ssize_t read(int fd, void *bytes, size_t size) {
  static ssize_t (*real)(int, void *, size_t);
  if (!real) real = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
  ssize_t count = real(fd, bytes, size);
  if (is_cut(fd)) wait_for_ever(); /* also what came while it waited is lost */
  return count;
}

ssize_t readv(int fd, const struct iovec *parts, int count) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (!real) real = (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "readv");
  ssize_t size = real(fd, parts, count);
  if (is_cut(fd)) wait_for_ever();
  return size;
}
