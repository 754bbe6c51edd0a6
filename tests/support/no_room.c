/* Preloaded into a server: as long as the file that ONCEWIRE_NO_ROOM names is there, no disk has room. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

int statvfs(const char *path, struct statvfs *space) {
    static int (*real)(const char *, struct statvfs *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "statvfs");
    const int result = real(path, space);
    const char *mark = getenv("ONCEWIRE_NO_ROOM");
    if (result == 0 && mark && access(mark, F_OK) == 0) space->f_bavail = 0;
    return result;
}
