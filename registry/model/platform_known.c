#include "registry/model/platform_known.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "platform.h"

/* Go's lists (internal/syslist), which image-spec 1.1 refers to. */
static const char *const go_os[] = {"aix", "android", "darwin", "dragonfly", "freebsd", "hurd",
	"illumos", "ios", "js", "linux", "nacl", "netbsd", "openbsd", "plan9", "solaris", "wasip1",
	"windows", "zos"};
static const char *const go_arch[] = {"386", "amd64", "amd64p32", "arm", "armbe", "arm64",
	"arm64be", "loong64", "mips", "mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le",
	"ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "sparc", "sparc64", "wasm"};

static const struct {
	const char *alias, *os;
} os_aliases[] = {
	{"macos", "darwin"},
	{"macosx", "darwin"},
	{"osx", "darwin"},
	{"mac", "darwin"},
	{"win", "windows"},
	{"win32", "windows"},
	{"win64", "windows"},
};

/* What uname, GNU triples, Debian, Docker and release pages write. Debian's armel is ARMv5. */
static const struct {
	const char *alias, *architecture, *variant;
} arch_aliases[] = {
	{"x86_64", "amd64", NULL},
	{"x86-64", "amd64", NULL},
	{"x64", "amd64", NULL},
	{"x86", "386", NULL},
	{"i386", "386", NULL},
	{"i486", "386", NULL},
	{"i586", "386", NULL},
	{"i686", "386", NULL},
	{"ia32", "386", NULL},
	{"aarch64", "arm64", NULL},
	{"armv8", "arm64", "v8"},
	{"arm64v8", "arm64", "v8"},
	{"armel", "arm", "v5"},
	{"armv5", "arm", "v5"},
	{"armv5l", "arm", "v5"},
	{"armv5te", "arm", "v5"},
	{"armv5tel", "arm", "v5"},
	{"arm32v5", "arm", "v5"},
	{"armv6", "arm", "v6"},
	{"armv6l", "arm", "v6"},
	{"armv6hf", "arm", "v6"},
	{"arm32v6", "arm", "v6"},
	{"armhf", "arm", "v7"},
	{"armv7", "arm", "v7"},
	{"armv7a", "arm", "v7"},
	{"armv7l", "arm", "v7"},
	{"armv7hf", "arm", "v7"},
	{"arm32v7", "arm", "v7"},
	{"loongarch64", "loong64", NULL},
	{"mipsel", "mipsle", NULL},
	{"mips64el", "mips64le", NULL},
	{"ppc64el", "ppc64le", NULL},
	{"powerpc64le", "ppc64le", NULL},
	{"riscv64gc", "riscv64", NULL},
	{"wasm32", "wasm", NULL},
};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const char *find(const char *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(list[i], name) == 0)
			return list[i];
	return NULL;
}

const char *os_known(const char *name)
{
	for (size_t i = 0; i < LENGTH(os_aliases); i++)
		if (strcasecmp(os_aliases[i].alias, name) == 0)
			return os_aliases[i].os;
	return find(go_os, LENGTH(go_os), name);
}

const char *architecture_known(const char **variant, const char *name)
{
	*variant = NULL;
	for (size_t i = 0; i < LENGTH(arch_aliases); i++)
		if (strcasecmp(arch_aliases[i].alias, name) == 0) {
			*variant = arch_aliases[i].variant;
			return arch_aliases[i].architecture;
		}
	return find(go_arch, LENGTH(go_arch), name);
}

static bool is_exactly(const char *known, const char *name)
{
	return known && name && strcmp(known, name) == 0;
}

bool platform_usual(const struct platform *platform)
{
	return is_exactly(find(go_os, LENGTH(go_os), platform->os), platform->os) &&
	       is_exactly(find(go_arch, LENGTH(go_arch), platform->architecture),
		       platform->architecture);
}
