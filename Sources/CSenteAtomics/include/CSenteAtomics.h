// SPDX-License-Identifier: Apache-2.0
// Words that threads share. The standard library's atomics ask for macOS 15 and iOS 18; these compile to one instruction each.
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t sente_load_relaxed(const uint64_t *word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void sente_store_relaxed(uint64_t *word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline uint64_t sente_load_acquire(const uint64_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void sente_store_release(uint64_t *word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline uint64_t sente_add_relaxed(uint64_t *word, uint64_t value) {
    return __atomic_fetch_add(word, value, __ATOMIC_RELAXED);
}

/// Whether the word was `expected`, and so is `value` now.
static inline bool sente_exchange_relaxed(uint64_t *word, uint64_t expected, uint64_t value) {
    return __atomic_compare_exchange_n(word, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

// No header with types of the C library: this module would own them, and those who import it would have to say so.
#if defined(__linux__)
#include <sys/syscall.h>

extern long syscall(long number, ...);
extern int prctl(int option, ...);
extern int getpid(void);

/// Whether this is the process's first thread.
static inline bool sente_is_main_thread(void) {
    return syscall(SYS_gettid) == getpid();
}

/// Names the calling thread (PR_SET_NAME), with fifteen bytes at most.
static inline void sente_name_thread(const char *name) {
    prctl(15, name);
}
#endif
