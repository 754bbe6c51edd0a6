/* Preloaded into the server by crash.mjs: kills it at the nth call of one kind, before the call is made or
 * after it. ONCEWIRE_AIM="fsync:7:after"; kinds: write (files and sockets alike), fsync, send. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *aim;
static long shot;
static int after;
static atomic_long calls;

__attribute__((constructor)) static void take_aim(void) {
    aim = getenv("ONCEWIRE_AIM");
    const char *number = aim ? strchr(aim, ':') : NULL;
    if (!number) return;
    shot = atol(number + 1);
    after = strstr(number, ":after") != NULL;
}

/* Whether the running call is the one. */
static int counts(const char *kind) {
    if (!shot || strncmp(aim, kind, strlen(kind)) != 0) return 0;
    return atomic_fetch_add(&calls, 1) + 1 == shot;
}

static void die(void) { kill(getpid(), SIGKILL); }

#define AIMED(kind, result, name, parameters, arguments)                   \
    result name parameters {                                               \
        static result(*real) parameters;                                   \
        if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name);              \
        const int is_it = counts(kind);                                    \
        if (is_it && !after) die();                                        \
        const result value = real arguments;                               \
        if (is_it) die();                                                  \
        return value;                                                      \
    }

AIMED("write", ssize_t, write, (int file, const void *bytes, size_t size), (file, bytes, size))
AIMED("write", ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count))
AIMED("write", ssize_t, pwrite64, (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at))
AIMED("write", ssize_t, pwrite, (int file, const void *bytes, size_t size, off_t at), (file, bytes, size, at))
AIMED("fsync", int, fsync, (int file), (file))
AIMED("fsync", int, fdatasync, (int file), (file))
AIMED("send", ssize_t, send, (int file, const void *bytes, size_t size, int flags), (file, bytes, size, flags))
AIMED("send", ssize_t, sendmsg, (int file, const struct msghdr *message, int flags), (file, message, flags))
