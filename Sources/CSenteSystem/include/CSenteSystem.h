// SPDX-License-Identifier: Apache-2.0
// Headers only: what `import Glibc` leaves out.
#pragma once

#include "CSenteTLS.h"

#if defined(__linux__)
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>

// The system's headers hide these from strict compilers; glibc, musl and bionic all have them.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);

// The sockaddr_nl of linux/netlink.h, which itself would make this module the owner of the C library's types.
typedef struct {
    unsigned short nl_family;
    unsigned short nl_pad;
    unsigned int nl_pid;
    unsigned int nl_groups;
} sente_sockaddr_nl;
#endif

// The stream of zlib.h (1.2 and later), whose library is loaded at run time.
typedef struct {
    const unsigned char *next_in;
    unsigned int avail_in;
    unsigned long total_in;
    unsigned char *next_out;
    unsigned int avail_out;
    unsigned long total_out;
    const char *msg;
    void *state;
    void *zalloc;
    void *zfree;
    void *opaque;
    int data_type;
    unsigned long adler;
    unsigned long reserved;
} sente_z_stream;
