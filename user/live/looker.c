// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Two processes and a socket. To the looker: LOOK, and GO_ON when the beginning of a reading was stamped.
 * From it: records, as observe() makes them. Its marks tell that a look is over (EV_MARK_STATE; value: errno).
 * What else is said of devices and domains is left out: the recording hears that itself, and in order.
 */
#include "live/looker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/clock.h"
#include "live/peek.h"

#define LOOK	'L'
#define GO_ON	'G'
#define RECORD_MAX 4096
#define TURN_BYTES (1U << 20)	/* then the caller may look around */

struct looker {
	int fd;
	pid_t pid;
	bool busy;
	size_t have;		/* bytes in @buffer */
	unsigned char buffer[1 << 16] __attribute__((aligned(8)));
};

/* ---- the process ---- */

struct process {
	int fd;
	FILE *to;
};

static bool hear(const struct process *s, char what)
{
	char c;

	return read(s->fd, &c, 1) == 1 && c == what;
}

static bool is_begin(const struct ev_hdr *rec)
{
	return rec->type == EV_READ && ((const struct ev_read *)rec)->phase == EV_READ_BEGIN;
}

static int send_record(void *arg, const struct ev_hdr *rec)
{
	struct process *s = arg;

	if (rec->type != EV_READ && rec->type != EV_RUN && rec->type != EV_BOOK &&
	    rec->type != EV_SPAN && rec->type != EV_ROOT)
		return 0;
	if (fwrite(rec, rec->len, 1, s->to) != 1)
		return -EPIPE;
	if (!is_begin(rec))
		return 0;
	return !fflush(s->to) && hear(s, GO_ON) ? 0 : -EPIPE;
}

static bool send_end(struct process *s, int err)
{
	struct ev_mark m = {
		.h = { .type = EV_MARK, .len = sizeof(m), .time_ns = now_ns() },
		.kind = EV_MARK_STATE, .value = -err,
	};

	return fwrite(&m, sizeof(m), 1, s->to) == 1 && !fflush(s->to);
}

/* Could the programs be loaded? */
struct answer {
	int err;
	char text[256];
};

static struct peek *open_peek(const struct process *s, bool verbose)
{
	struct answer answer = { 0 };
	struct peek *p = NULL;

	answer.err = peek_open(true, verbose, &p, answer.text, sizeof(answer.text));
	if (write(s->fd, &answer, sizeof(answer)) != sizeof(answer) || answer.err)
		_exit(1);
	return p;
}

/*
 * Ctrl-C is for who started us; with its end comes ours. The programs are loaded here, not before: libbpf
 * 1.1 stumbles in a process that closes some of them before it loads others.
 */
static void run(int fd, const struct observe_options *opt, bool verbose)
{
	struct process s = { .fd = fd, .to = fdopen(dup(fd), "w") };
	struct peek *p;
	size_t seen;
	int err;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p = open_peek(&s, verbose);
	while (s.to && hear(&s, LOOK)) {
		err = observe(p, opt, send_record, &s, &seen);
		if (!send_end(&s, err))
			break;
	}
	_exit(0);
}

/* ---- who has it ---- */

static int start_process(struct looker *l, const struct observe_options *opt, bool verbose)
{
	int fds[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	fflush(NULL);
	l->pid = fork();
	if (!l->pid) {
		close(fds[0]);
		run(fds[1], opt, verbose);
	}
	err = l->pid < 0 ? -errno : 0;
	close(fds[1]);
	l->fd = fds[0];
	return err;
}

/* Its programs are loaded, or why not. */
static int hear_answer(struct looker *l, char *text, size_t len)
{
	struct answer answer;

	if (recv(l->fd, &answer, sizeof(answer), MSG_WAITALL) != sizeof(answer))
		return -EPIPE;
	if (answer.err)
		snprintf(text, len, "%s", answer.text);
	else if (fcntl(l->fd, F_SETFL, O_NONBLOCK))
		return -errno;
	return answer.err;
}

int looker_new(const struct observe_options *opt, bool verbose, struct looker **out, char *text,
	       size_t len)
{
	struct looker *l = calloc(1, sizeof(*l));
	int err;

	snprintf(text, len, "cannot start the process that reads the page tables");
	if (!l)
		return -ENOMEM;
	l->fd = -1;
	err = start_process(l, opt, verbose) ?: hear_answer(l, text, len);
	if (err)
		looker_free(l);
	else
		*out = l;
	return err;
}

int looker_fd(const struct looker *l)
{
	return l->fd;
}

bool looker_busy(const struct looker *l)
{
	return l->busy;
}

static int tell(struct looker *l, char what)
{
	return send(l->fd, &what, 1, MSG_NOSIGNAL) == 1 ? 0 : -EPIPE;
}

int looker_start(struct looker *l)
{
	l->busy = true;
	return tell(l, LOOK);
}

/* A record in the buffer: its length; 0 not all of it is there; -EPIPE: no record. */
static ssize_t record_len(const struct looker *l, size_t at)
{
	const struct ev_hdr *h = (const void *)(l->buffer + at);

	if (l->have - at < sizeof(*h))
		return 0;
	if (h->len < sizeof(*h) || h->len > RECORD_MAX || h->len % 8)
		return -EPIPE;
	return l->have - at < h->len ? 0 : h->len;
}

static int hand_over(struct looker *l, struct ev_hdr *rec,
		     int (*sink)(void *arg, struct ev_hdr *rec), void *arg)
{
	bool begin = is_begin(rec);
	int err;

	if (rec->type == EV_MARK) {
		l->busy = false;
		return ((struct ev_mark *)rec)->value ? -EIO : 0;
	}
	err = sink(arg, rec);
	return err || !begin ? err : tell(l, GO_ON);
}

static int hand_all(struct looker *l, int (*sink)(void *arg, struct ev_hdr *rec), void *arg)
{
	size_t at = 0;
	ssize_t len = 0;
	int err = 0;

	while (!err && (len = record_len(l, at)) > 0) {
		err = hand_over(l, (void *)(l->buffer + at), sink, arg);
		at += len;
	}
	memmove(l->buffer, l->buffer + at, l->have - at);
	l->have -= at;
	return err ?: len < 0 ? -EPIPE : 0;
}

int looker_take(struct looker *l, int (*sink)(void *arg, struct ev_hdr *rec), void *arg)
{
	size_t taken = 0;
	ssize_t n;
	int err = 0;

	while (!err && taken < TURN_BYTES) {
		n = read(l->fd, l->buffer + l->have, sizeof(l->buffer) - l->have);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			return -EPIPE;
		taken += n;
		l->have += n;
		err = hand_all(l, sink, arg);
	}
	return err;
}

/* Its programs go with it, which takes the kernel seconds: nobody waits for that. */
void looker_free(struct looker *l)
{
	if (!l)
		return;
	if (l->pid > 0)
		kill(l->pid, SIGKILL);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}
