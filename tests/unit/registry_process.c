#include "registry_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "patience.h"

static void must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		abort();
	}
}

static int free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(bind(fd, (struct sockaddr *)&address, size) == 0, "bind");
	must(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
	close(fd);
	return ntohs(address.sin_port);
}

static bool answers(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return connected;
}

bool shell_run(const char *script, const char *argument)
{
	int status = -1;
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (!pid) {
		execl("/bin/sh", "sh", "-c", script, "sh", argument, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

bool registry_process_possible(void)
{
	return shell_run("command -v docker-registry >/dev/null", "");
}

static void make_certificates(struct registry_process *registry)
{
	static const char script[] =
		"cd \"$1\" && exec 2>/dev/null && "
		"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=test CA' "
		"-keyout ca.key -out ca.pem && "
		"openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 "
		"-keyout server.key -out server.csr && "
		"printf 'subjectAltName=IP:127.0.0.1' > server.ext && "
		"openssl x509 -req -days 2 -in server.csr -CA ca.pem -CAkey ca.key "
		"-CAcreateserial -extfile server.ext -out server.pem";

	must(shell_run(script, registry->folder), "openssl");
	snprintf(registry->ca_file, sizeof(registry->ca_file), "%s/ca.pem", registry->folder);
}

static void write_config(
	const struct registry_process *registry, bool relative_urls, const char *more)
{
	char path[REGISTRY_PATH_SIZE];
	FILE *file;

	snprintf(path, sizeof(path), "%s/config.yml", registry->folder);
	file = fopen(path, "w");
	must(file != NULL, path);
	fprintf(file,
		"version: 0.1\nlog:\n  level: warn\n  accesslog:\n    disabled: false\n"
		"storage:\n  filesystem:\n    rootdirectory: %s/data\n"
		"http:\n  addr: 127.0.0.1:%d\n  relativeurls: %s\n",
		registry->folder, registry->port, relative_urls ? "true" : "false");
	if (registry->tls)
		fprintf(file, "  tls:\n    certificate: %s/server.pem\n    key: %s/server.key\n",
			registry->folder, registry->folder);
	fputs(more, file);
	must(fclose(file) == 0, path);
}

static void run_registry(const struct registry_process *registry)
{
	char config[REGISTRY_PATH_SIZE];
	int log = open(registry->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	snprintf(config, sizeof(config), "%s/config.yml", registry->folder);
	execlp("docker-registry", "docker-registry", "serve", config, (char *)NULL);
	_exit(127);
}

void registry_process_start(struct registry_process *registry, bool tls, bool relative_urls)
{
	registry_process_start_with(registry, tls, relative_urls, "");
}

void registry_process_start_with(
	struct registry_process *registry, bool tls, bool relative_urls, const char *more)
{
	const char *base = getenv("TMPDIR");

	memset(registry, 0, sizeof(*registry));
	registry->tls = tls;
	registry->port = free_port();
	snprintf(registry->folder, sizeof(registry->folder), "%.80s/indexfs-test-XXXXXX",
		base ? base : "/tmp");
	must(mkdtemp(registry->folder) != NULL, registry->folder);
	snprintf(registry->log, sizeof(registry->log), "%s/log", registry->folder);
	if (tls)
		make_certificates(registry);
	write_config(registry, relative_urls, more);
	registry->pid = fork();
	must(registry->pid >= 0, "fork");
	if (!registry->pid)
		run_registry(registry);
	for (int i = 0; !answers(registry->port); i++) {
		must(waitpid(registry->pid, NULL, WNOHANG) == 0, "docker-registry ended");
		must(i < AMPLE_TIMEOUT * 100, "docker-registry doesn't answer");
		usleep(10000);
	}
}

void registry_process_stop(struct registry_process *registry)
{
	if (!registry->pid)
		return;
	kill(registry->pid, SIGKILL);
	waitpid(registry->pid, NULL, 0);
	registry->pid = 0;
	must(shell_run("rm -rf \"$1\"", registry->folder), "rm");
}

long registry_process_mark(const struct registry_process *registry)
{
	FILE *file = fopen(registry->log, "r");
	long size;

	must(file != NULL, registry->log);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	fclose(file);
	return size;
}

int registry_process_logged(const struct registry_process *registry, long from, const char *text)
{
	FILE *file = fopen(registry->log, "r");
	char line[4096];
	int count = 0;

	must(file != NULL, registry->log);
	fseek(file, from, SEEK_SET);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}
