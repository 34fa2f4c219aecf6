#include "fs/work/boot.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

void boot_id(char out[static BOOT_ID_SIZE])
{
	cleanup_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, out, BOOT_ID_SIZE - 1);

	out[got > 0 ? got : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}
