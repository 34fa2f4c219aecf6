/*
 * daemon.h - going to the background once the mount answers.
 */
#ifndef INDEXFS_FS_CMD_DAEMON_H
#define INDEXFS_FS_CMD_DAEMON_H

/* Forks before any thread exists. In the parent it returns when the child has said that it is
 * ready, or has ended: *status is the exit status then, and the result is 1. In the child the
 * result is 0 and *ready_fd is what daemon_ready() wants. -1 with errno. */
int daemon_start(int *ready_fd, int *status);

/* The child: lets the parent go, and gives up the terminal. */
void daemon_ready(int ready_fd);

#endif
