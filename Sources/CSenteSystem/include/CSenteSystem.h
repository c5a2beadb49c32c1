// SPDX-License-Identifier: Apache-2.0
// Headers only: what `import Glibc` leaves out.
#pragma once

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#endif
