/*
 * publish.h - a commit from the command line: asks a mount for it, and shows how it goes.
 */
#ifndef INDEXFS_FS_CMD_PUBLISH_H
#define INDEXFS_FS_CMD_PUBLISH_H

/* Commits what a mount has not committed. Tells the outcome, and after a failure why and what to
 * do; shown is what the user calls it. 0, or the errno of what was told: EINTR where an interrupt
 * has ended the wait, which it does at once. */
int publish_mount(const char *mountpoint, const char *shown);

#endif
