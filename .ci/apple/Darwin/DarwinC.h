// SPDX-License-Identifier: Apache-2.0
// What is called of macOS's C library, in its shapes.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
typedef long time_t;
typedef int32_t suseconds_t;
typedef uint16_t mode_t;
typedef int64_t off_t;
typedef int32_t pid_t;
typedef uint32_t uid_t;
typedef uint32_t gid_t;
typedef int32_t dev_t;
typedef uint64_t ino_t;
typedef uint16_t nlink_t;
typedef int32_t blksize_t;
typedef int64_t blkcnt_t;
typedef uint8_t sa_family_t;
typedef uint32_t socklen_t;
typedef uint16_t in_port_t;
typedef uint32_t in_addr_t;
typedef unsigned int nfds_t;

struct timespec { time_t tv_sec; long tv_nsec; };
struct tm { int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst; long tm_gmtoff; char *tm_zone; };
struct timeval { time_t tv_sec; suseconds_t tv_usec; };
typedef enum { _CLOCK_REALTIME = 0, _CLOCK_MONOTONIC = 6, _CLOCK_UPTIME_RAW = 8, _CLOCK_PROCESS_CPUTIME_ID = 12, _CLOCK_THREAD_CPUTIME_ID = 16 } clockid_t __attribute__((enum_extensibility(open)));
int clock_gettime(clockid_t clock, struct timespec *time);
time_t time(time_t *_Nullable);
unsigned int sleep(unsigned int);

int *_Nonnull __error(void);
char *_Null_unspecified strerror(int);
void *_Null_unspecified malloc(size_t);
void free(void *_Null_unspecified);
char *_Null_unspecified getenv(const char *);
void exit(int) __attribute__((noreturn));
void abort(void) __attribute__((noreturn));
void arc4random_buf(void *_Null_unspecified, size_t);
double floor(double);

struct stat {
    dev_t st_dev; mode_t st_mode; nlink_t st_nlink; ino_t st_ino; uid_t st_uid; gid_t st_gid; dev_t st_rdev;
    struct timespec st_atimespec, st_mtimespec, st_ctimespec, st_birthtimespec;
    off_t st_size; blkcnt_t st_blocks; blksize_t st_blksize; uint32_t st_flags, st_gen; int32_t st_lspare; int64_t st_qspare[2];
};
int stat(const char *, struct stat *);
int fstat(int, struct stat *);
int mkdir(const char *, mode_t);
int unlink(const char *);
int rename(const char *, const char *);
int link(const char *, const char *);
int close(int);
int dup(int);
ssize_t read(int, void *_Null_unspecified, size_t);
ssize_t write(int, const void *_Null_unspecified, size_t);
ssize_t pread(int, void *_Null_unspecified, size_t, off_t);
ssize_t pwrite(int, const void *_Null_unspecified, size_t, off_t);
off_t lseek(int, off_t, int);
int ftruncate(int, off_t);
int fsync(int);
int flock(int, int);
int isatty(int);
int access(const char *, int);
int pipe(int *);
pid_t getpid(void);
int raise(int);
int kill(pid_t, int);
#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#define O_RDONLY 0x0000
#define O_WRONLY 0x0001
#define O_RDWR 0x0002
#define O_NONBLOCK 0x0004
#define O_APPEND 0x0008
#define O_CREAT 0x0200
#define O_TRUNC 0x0400
#define O_EXCL 0x0800
#define O_NOFOLLOW 0x0100
#define O_NOCTTY 0x20000
#define O_DIRECTORY 0x100000
#define O_CLOEXEC 0x1000000
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_FULLFSYNC 51
#define FD_CLOEXEC 1
#define SEEK_SET 0
#define SEEK_END 2
#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8
#define F_OK 0

#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define EBADF 9
#define ENOMEM 12
#define EACCES 13
#define EEXIST 17
#define ENOTDIR 20
#define EISDIR 21
#define EINVAL 22
#define ENFILE 23
#define EMFILE 24
#define EFBIG 27
#define ENOSPC 28
#define EROFS 30
#define EPIPE 32
#define EAGAIN 35
#define EWOULDBLOCK EAGAIN
#define EINPROGRESS 36
#define EMSGSIZE 40
#define ENOTSUP 45
#define EAFNOSUPPORT 47
#define ENETDOWN 50
#define ENETUNREACH 51
#define ECONNABORTED 53
#define ECONNRESET 54
#define ENOBUFS 55
#define ENOTCONN 57
#define ETIMEDOUT 60
#define ECONNREFUSED 61
#define EHOSTDOWN 64
#define EHOSTUNREACH 65
#define EDQUOT 69

struct sockaddr { uint8_t sa_len; sa_family_t sa_family; char sa_data[14]; };
struct in_addr { in_addr_t s_addr; };
struct sockaddr_in { uint8_t sin_len; sa_family_t sin_family; in_port_t sin_port; struct in_addr sin_addr; char sin_zero[8]; };
struct in6_addr { union { uint8_t __u6_addr8[16]; uint16_t __u6_addr16[8]; uint32_t __u6_addr32[4]; } __u6_addr; };
struct sockaddr_in6 { uint8_t sin6_len; sa_family_t sin6_family; in_port_t sin6_port; uint32_t sin6_flowinfo; struct in6_addr sin6_addr; uint32_t sin6_scope_id; };
struct sockaddr_storage { uint8_t ss_len; sa_family_t ss_family; char __ss_pad1[6]; int64_t __ss_align; char __ss_pad2[112]; };
struct addrinfo { int ai_flags, ai_family, ai_socktype, ai_protocol; socklen_t ai_addrlen; char *_Null_unspecified ai_canonname; struct sockaddr *_Null_unspecified ai_addr; struct addrinfo *_Null_unspecified ai_next; };
int getaddrinfo(const char *_Nullable, const char *_Nullable, const struct addrinfo *_Nullable, struct addrinfo *_Nullable *_Nonnull);
void freeaddrinfo(struct addrinfo *_Nullable);
const char *_Nonnull gai_strerror(int);
struct linger { int l_onoff; int l_linger; };
int socket(int, int, int);
int bind(int, const struct sockaddr *, socklen_t);
int connect(int, const struct sockaddr *, socklen_t);
int listen(int, int);
int accept(int, struct sockaddr *_Nullable, socklen_t *_Nullable);
int shutdown(int, int);
int getsockname(int, struct sockaddr *_Null_unspecified, socklen_t *);
int getpeername(int, struct sockaddr *_Null_unspecified, socklen_t *);
int getsockopt(int, int, int, void *_Null_unspecified, socklen_t *);
int setsockopt(int, int, int, const void *_Null_unspecified, socklen_t);
ssize_t recv(int, void *_Null_unspecified, size_t, int);
ssize_t send(int, const void *_Null_unspecified, size_t, int);
#define AF_INET 2
#define AF_INET6 30
#define SOCK_STREAM 1
#define SOCK_RAW 3
#define SOL_SOCKET 0xffff
#define SO_REUSEADDR 0x0004
#define SO_LINGER 0x0080
#define SO_ERROR 0x1007
#define SO_NOSIGPIPE 0x1022
#define IPPROTO_TCP 6
#define IPPROTO_IPV6 41
#define TCP_NODELAY 0x01
#define TCP_NOTSENT_LOWAT 0x201
#define AI_NUMERICSERV 0x1000
#define EAI_SYSTEM 11
#define EAI_MEMORY 6
#define SHUT_WR 1
#define SHUT_RDWR 2

struct pollfd { int fd; short events; short revents; };
int poll(struct pollfd *_Null_unspecified, nfds_t, int);
#define POLLIN 0x0001
#define POLLOUT 0x0004
#define POLLERR 0x0008
#define POLLHUP 0x0010
#define POLLNVAL 0x0020

struct _opaque_pthread_t { long __sig; };
typedef struct _opaque_pthread_t *pthread_t;
typedef struct { long __sig; char __opaque[56]; } pthread_mutex_t;
typedef struct { long __sig; char __opaque[8]; } pthread_mutexattr_t;
typedef struct { long __sig; char __opaque[40]; } pthread_cond_t;
typedef struct { long __sig; char __opaque[8]; } pthread_condattr_t;
typedef struct { long __sig; char __opaque[56]; } pthread_attr_t;
typedef unsigned long pthread_key_t;
int pthread_create(pthread_t _Nullable *_Nonnull, const pthread_attr_t *_Nullable, void *_Nullable (*_Nonnull)(void *_Nonnull), void *_Nullable);
int pthread_detach(pthread_t _Nonnull);
int pthread_join(pthread_t _Nonnull, void *_Nullable *_Nullable);
pthread_t _Nonnull pthread_self(void);
int pthread_equal(pthread_t _Nullable, pthread_t _Nullable);
int pthread_setname_np(const char *_Nonnull);
int pthread_main_np(void);
int pthread_mutex_init(pthread_mutex_t *_Nonnull, const pthread_mutexattr_t *_Nullable);
int pthread_mutex_destroy(pthread_mutex_t *_Nonnull);
int pthread_mutex_lock(pthread_mutex_t *_Nonnull);
int pthread_mutex_unlock(pthread_mutex_t *_Nonnull);
int pthread_cond_init(pthread_cond_t *_Nonnull, const pthread_condattr_t *_Nullable);
int pthread_cond_destroy(pthread_cond_t *_Nonnull);
int pthread_cond_signal(pthread_cond_t *_Nonnull);
int pthread_cond_broadcast(pthread_cond_t *_Nonnull);
int pthread_cond_wait(pthread_cond_t *_Nonnull, pthread_mutex_t *_Nonnull);
int pthread_cond_timedwait_relative_np(pthread_cond_t *_Nonnull, pthread_mutex_t *_Nonnull, const struct timespec *_Nullable);
int pthread_key_create(pthread_key_t *_Nonnull, void (*_Nullable)(void *_Nonnull));
void *_Nullable pthread_getspecific(pthread_key_t);
int pthread_setspecific(pthread_key_t, const void *_Nullable);
int sched_yield(void);

typedef uint32_t sigset_t;
typedef struct __siginfo { int si_signo; } siginfo_t;
union __sigaction_u { void (*_Null_unspecified __sa_handler)(int); void (*_Null_unspecified __sa_sigaction)(int, siginfo_t *_Null_unspecified, void *_Null_unspecified); };
struct sigaction { union __sigaction_u __sigaction_u; sigset_t sa_mask; int sa_flags; };
int sigaction(int, const struct sigaction *_Null_unspecified, struct sigaction *_Null_unspecified);
typedef void (*sig_t)(int);
#define SIGHUP 1
#define SIGINT 2
#define SIGKILL 9
#define SIGPIPE 13
#define SIGTERM 15
int pthread_sigmask(int, const sigset_t *_Nullable, sigset_t *_Nullable);
#define SIG_SETMASK 3

void *_Null_unspecified dlopen(const char *_Null_unspecified, int);
void *_Null_unspecified dlsym(void *_Null_unspecified, const char *_Null_unspecified);
char *_Null_unspecified dlerror(void);
#define RTLD_NOW 2
#define RTLD_LOCAL 4

int sigfillset(sigset_t *_Nonnull);
void (*_Null_unspecified signal(int, void (*_Null_unspecified)(int)))(int);
int atexit(void (*_Nonnull)(void));
typedef struct __sFILE { int _file; } FILE;
FILE *_Null_unspecified fopen(const char *_Nonnull, const char *_Nonnull);
int fclose(FILE *_Null_unspecified);
size_t fread(void *_Null_unspecified, size_t, size_t, FILE *_Null_unspecified);
int ferror(FILE *_Null_unspecified);
int fstatat(int, const char *_Nonnull, struct stat *_Nonnull, int);
int renameat(int, const char *_Nonnull, int, const char *_Nonnull);
int linkat(int, const char *_Nonnull, int, const char *_Nonnull, int);
int unlinkat(int, const char *_Nonnull, int);
#define AT_SYMLINK_NOFOLLOW 0x0020
struct winsize { unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel; };
int pause(void);
int system(const char *_Nonnull);
extern FILE *_Null_unspecified __stdoutp, *_Null_unspecified __stderrp, *_Null_unspecified __stdinp;
struct termios { unsigned long c_iflag, c_oflag, c_cflag, c_lflag; unsigned char c_cc[20]; unsigned long c_ispeed, c_ospeed; };
typedef unsigned long tcflag_t;
int tcgetattr(int, struct termios *_Nonnull);
int tcsetattr(int, int, const struct termios *_Nonnull);
#define ICANON 0x00000100
#define ECHO 0x00000008
#define TCSANOW 0
char *_Null_unspecified fgets(char *_Null_unspecified, int, FILE *_Null_unspecified);
