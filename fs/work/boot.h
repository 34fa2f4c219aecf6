/*
 * boot.h - which life of this machine this is.
 */
#ifndef INDEXFS_FS_WORK_BOOT_H
#define INDEXFS_FS_WORK_BOOT_H

#define BOOT_ID_SIZE 40

/* The kernel's boot id; "" where it doesn't tell. */
void boot_id(char out[static BOOT_ID_SIZE]);

#endif
