/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * As much of the kernel as kernel/table*.c see, for a test in a process: physical addresses are
 * the process's own, a struct page lies in front of its memory, a spinlock is a mutex that knows
 * whether it is held. The headers in linux/ and asm/ all lead here.
 */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef unsigned int gfp_t;

#ifndef __force
#define __force
#endif
#define unlikely(x) __builtin_expect(!!(x), 0)
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define DIV_ROUND_UP(a, b) (((a) + (b) - 1) / (b))

/* ---- bits ---- */

#define BITS_PER_LONG 64
#define BITS_TO_LONGS(n) DIV_ROUND_UP(n, BITS_PER_LONG)
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK_ULL(high, low) (~0ULL >> (63 - (high)) & ~0ULL << (low))
#define FIELD_GET(mask, x) (((x) & (mask)) / ((mask) & -(mask)))
#define FIELD_PREP(mask, x) ((x) * ((mask) & -(mask)) & (mask))
#define is_power_of_2(n) ((n) && !((n) & ((n) - 1)))
#define ilog2(n) (63 - __builtin_clzll(n))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define __ffs64(n) ((unsigned int)__builtin_ctzll(n))
#define cpu_to_le64(x) htole64(x)
#define le64_to_cpu(x) le64toh(x)
#define cpu_to_be64(x) htobe64(x)
#define be64_to_cpu(x) be64toh(x)
#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)
#define check_mul_overflow(a, b, product) __builtin_mul_overflow(a, b, product)

static inline bool test_bit(unsigned int n, const unsigned long *bits)
{
	return bits[n / BITS_PER_LONG] & BIT(n % BITS_PER_LONG);
}

/* ---- lists ---- */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD(name) struct list_head name = { &(name), &(name) }
#define INIT_LIST_HEAD(head) ((head)->next = (head)->prev = (head))
#define list_entry(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define list_for_each_entry(pos, head, member)                                                    \
	for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head);    \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, n, head, member)                                            \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),                            \
	     n = list_entry(pos->member.next, __typeof__(*pos), member);                          \
	     &pos->member != (head);                                                              \
	     pos = n, n = list_entry(n->member.next, __typeof__(*n), member))

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	entry->next = head->next;
	entry->prev = head;
	head->next->prev = entry;
	head->next = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
	list_del(entry);
	list_add(entry, head);
}

static inline void list_splice_init(struct list_head *from, struct list_head *to)
{
	while (from->next != from)
		list_move(from->next, to);
}

/* ---- locks and counters ---- */

typedef struct {
	pthread_mutex_t mutex;
	bool held;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
	lock->held = false;
}

static inline spinlock_t *shim_lock(spinlock_t *lock)
{
	pthread_mutex_lock(&lock->mutex);
	lock->held = true;
	return lock;
}

static inline void shim_unlock(spinlock_t **lock)
{
	(*lock)->held = false;
	pthread_mutex_unlock(&(*lock)->mutex);
}

#define scoped_guard(kind, lock)                                                                  \
	for (spinlock_t *shim_held __attribute__((cleanup(shim_unlock))) = shim_lock(lock),       \
	     *shim_once = shim_held; shim_once; shim_once = NULL)
#define lockdep_assert_held(lock) ((lock)->held ? (void)0 : abort())

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long long counter;
} atomic64_t;

#define atomic_read(v) __atomic_load_n(&(v)->counter, __ATOMIC_SEQ_CST)
#define atomic_inc_return(v) __atomic_add_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST)
#define atomic64_read(v) __atomic_load_n(&(v)->counter, __ATOMIC_SEQ_CST)
#define atomic64_add(n, v) ((void)__atomic_add_fetch(&(v)->counter, n, __ATOMIC_SEQ_CST))
#define atomic64_sub(n, v) ((void)__atomic_sub_fetch(&(v)->counter, n, __ATOMIC_SEQ_CST))
#define udelay(us) usleep(us)

/* ---- memory ---- */

#define GFP_KERNEL 0
#define __GFP_ZERO 0
#define __GFP_COMP 0
#define __GFP_NOWARN 0
#define __GFP_RETRY_MAYFAIL 0

#define SHIM_PAGE 4096UL

struct page {
	struct list_head lru;
	unsigned long private;
	unsigned int order;
};

/* Allocations that succeed before one fails; negative: all. */
extern int shim_allocations;

static inline struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	size_t bytes = SHIM_PAGE << order;
	struct page *page;

	(void)gfp;
	if (!shim_allocations || posix_memalign((void **)&page, SHIM_PAGE, SHIM_PAGE + bytes))
		return NULL;
	if (shim_allocations > 0)
		shim_allocations--;
	memset(page, 0, SHIM_PAGE + bytes);
	page->order = order;
	return page;
}

#define __free_pages(page, order) free(page)
#define compound_order(page) ((page)->order)
#define page_size(page) (SHIM_PAGE << (page)->order)
#define page_private(page) ((page)->private)
#define set_page_private(page, value) ((page)->private = (value))
#define page_to_phys(page) ((u64)(uintptr_t)(page) + SHIM_PAGE)
#define phys_to_virt(paddr) ((void *)(uintptr_t)(paddr))
#define virt_to_page(address) ((struct page *)((char *)(address) - SHIM_PAGE))

static inline unsigned int get_order(u64 bytes)
{
	unsigned int order = 0;

	while (SHIM_PAGE << order < bytes)
		order++;
	return order;
}

#endif /* SHIM_KERNEL_H */
