// SPDX-License-Identifier: Apache-2.0
// Headers only: what `import Glibc` leaves out.
#pragma once

#if defined(__linux__)
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>

// The system's headers hide these from strict compilers; glibc, musl and bionic all have them.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
#endif
