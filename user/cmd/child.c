// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "cmd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* An errno in the pipe means that exec failed; its end, that it did not. */
static void run_child(int pipe_fd, char **argv)
{
	sigset_t none;
	int err;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(argv[0], argv);
	err = errno;
	if (write(pipe_fd, &err, sizeof(err)) != sizeof(err))
		_exit(126);
	_exit(127);
}

int child_start(struct child *c, char **argv)
{
	int fds[2], err = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		err = errno;
	} else if (!pid) {
		close(fds[0]);
		run_child(fds[1], argv);
	}
	close(fds[1]);
	if (pid > 0 && read(fds[0], &err, sizeof(err)) != sizeof(err))
		err = 0;
	close(fds[0]);
	if (err) {
		if (pid > 0)
			waitpid(pid, NULL, 0);
		return -err;
	}
	c->pid = pid;
	return 0;
}

bool child_reap(struct child *c)
{
	if (child_running(c) && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->ended = true;
	return c->ended;
}
